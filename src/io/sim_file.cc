// What a call on a simulated file does once it was admitted.
#include "io/sim_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/quote.h"
#include "io/system_error.h"

namespace strata::io {

using base::MutexLock;

namespace {

constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 62;

}  // namespace

SimFile::SimFile(std::shared_ptr<SimMachine> machine, SimNodePtr node, std::string path,
                 std::uint64_t boot, bool writable)
    : machine_(std::move(machine)),
      node_(std::move(node)),
      path_(std::move(path)),
      boot_(boot),
      writable_(writable),
      end_(node_->content.size()) {}

Result<std::size_t> SimFile::pread(std::uint64_t offset, std::span<char> to) {
  STRATA_LET(const SimTicket ticket, admit(kSimRead));
  const MutexLock lock(machine_->mutex);
  STRATA_TRY(go_on(ticket));
  if (offset > kFileBytesMax) return system_error(ticket.call, path_, EINVAL);
  return node_->content.read(offset, to);
}

Result<> SimFile::pwrite(std::uint64_t offset, BytesView bytes) {
  STRATA_LET(const SimTicket ticket, admit(kSimWrite));
  const MutexLock lock(machine_->mutex);
  return write(ticket, offset, bytes);
}

Result<> SimFile::append(BytesView bytes) {
  STRATA_LET(const SimTicket ticket, admit(kSimWrite));
  const MutexLock lock(machine_->mutex);
  return write(ticket, end_, bytes);
}

Result<> SimFile::sync() {
  STRATA_LET(const SimTicket ticket, admit(kSimSync));
  const MutexLock lock(machine_->mutex);
  STRATA_TRY(machine_->check_up(ticket, path_));
  if (ticket.error_number != 0) {
    node_->content.drop_dirty();
    return system_error(ticket.call, path_, ticket.error_number);
  }
  node_->content.sync();
  return {};
}

Result<> SimFile::truncate(std::uint64_t bytes) {
  STRATA_LET(const SimTicket ticket, admit(kSimTruncate));
  const MutexLock lock(machine_->mutex);
  STRATA_TRY(resize(ticket, bytes));
  end_ = bytes;
  return {};
}

Result<> SimFile::allocate(std::uint64_t bytes) {
  STRATA_LET(const SimTicket ticket, admit(kSimAllocate));
  const MutexLock lock(machine_->mutex);
  STRATA_TRY(resize(ticket, std::max(bytes, node_->content.size())));
  end_ = std::max(end_, bytes);
  return {};
}

Result<std::uint64_t> SimFile::size() {
  STRATA_LET(const SimTicket ticket, admit(kSimStat));
  const MutexLock lock(machine_->mutex);
  STRATA_TRY(go_on(ticket));
  return node_->content.size();
}

Result<> SimFile::close() {
  STRATA_LET(const SimTicket ticket, admit(kSimClose));
  const MutexLock lock(machine_->mutex);
  closed_.store(true, std::memory_order_relaxed);
  return go_on(ticket);
}

Result<SimTicket> SimFile::admit(const SimCallTraits& traits) {
  if (closed_.load(std::memory_order_relaxed)) {
    return Error(Code::closed,
                 std::string(traits.name) + " " + base::quote(path_) + ": used after close");
  }
  if (traits.mutating && !writable_) return system_error(traits.name, path_, EBADF);
  return machine_->admit(traits, path_, boot_);
}

Result<> SimFile::go_on(const SimTicket& ticket) const {
  STRATA_TRY(machine_->check_up(ticket, path_));
  if (ticket.error_number != 0) return system_error(ticket.call, path_, ticket.error_number);
  return {};
}

Result<> SimFile::write(const SimTicket& ticket, std::uint64_t offset, BytesView bytes) {
  STRATA_TRY(machine_->check_up(ticket, path_));
  if (offset > kFileBytesMax) return system_error(ticket.call, path_, EINVAL);
  base::Random& random = machine_->random;
  int error_number = ticket.error_number;
  if (error_number != 0) bytes = bytes.substr(0, random.uniform(bytes.size() + 1));
  const std::uint64_t room_end = node_->content.size() + machine_->room_bytes();
  if (offset + bytes.size() > room_end) {
    if (error_number == 0) error_number = ENOSPC;
    bytes = bytes.substr(0, room_end > offset ? room_end - offset : 0);
  }
  if (machine_->write_back_one_in > 0 && random.one_in(machine_->write_back_one_in)) {
    node_->content.write_back(random);
  }
  node_->content.write(offset, bytes);
  changed();
  if (error_number != 0) return system_error(ticket.call, path_, error_number);
  end_ = std::max(end_, offset + bytes.size());
  return {};
}

Result<> SimFile::resize(const SimTicket& ticket, std::uint64_t bytes) {
  STRATA_TRY(go_on(ticket));
  if (bytes > kFileBytesMax) return system_error(ticket.call, path_, EINVAL);
  const std::uint64_t before = node_->content.size();
  if (bytes > before && bytes - before > machine_->room_bytes()) {
    return system_error(ticket.call, path_, ENOSPC);
  }
  node_->content.resize(bytes);
  changed();
  return {};
}

void SimFile::changed() {
  node_->count_bytes();
  node_->modified_ms = machine_->clock.wall_ms();
}

}  // namespace strata::io
