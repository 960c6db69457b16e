// The simulated machine's calls on paths, and what tests do to it.
#include "io/sim_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/quote.h"
#include "io/sim_file.h"
#include "io/sim_machine.h"
#include "io/system_error.h"

namespace strata::io {

using base::MutexLock;

namespace {

class SimLock final : public FileLock {
 public:
  SimLock(std::shared_ptr<SimMachine> machine, SimNodePtr node, std::uint64_t boot)
      : machine_(std::move(machine)), node_(std::move(node)), boot_(boot) {}
  ~SimLock() override {
    const MutexLock lock(machine_->mutex);
    if (machine_->boot == boot_) node_->locked = false;
  }

 private:
  const std::shared_ptr<SimMachine> machine_;
  const SimNodePtr node_;
  const std::uint64_t boot_;
};

}  // namespace

SimFileSystem::SimFileSystem(std::uint64_t seed, base::Clock& clock, SimOptions options)
    : machine_(std::make_shared<SimMachine>(seed, clock, options)) {}

SimFileSystem::~SimFileSystem() = default;

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode) {
  return open_node(path, mode, false);
}

Result<std::unique_ptr<File>> SimFileSystem::open_if_exists(const std::string& path) {
  return open_node(path, OpenMode::read, true);
}

Result<std::unique_ptr<File>> SimFileSystem::open_node(const std::string& path, OpenMode mode,
                                                       bool absence_is_an_answer) {
  SimMachine& machine = *machine_;
  const bool writes = mode != OpenMode::read;
  STRATA_LET(const SimTicket ticket,
             machine.admit(writes ? kSimOpenToWrite : kSimOpenToRead, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const SimPlace place = machine.find(path);
  SimNodePtr node = machine.look_up(place);
  if (node == nullptr) {
    const int reason = place.folder == nullptr ? place.error_number : writes ? 0 : ENOENT;
    if (absence_is_an_answer && (reason == ENOENT || reason == ENOTDIR)) {
      return std::unique_ptr<File>();
    }
    if (reason != 0) return system_error(ticket.call, path, reason);
    node = machine.add(place, FileKind::file);
  } else if (mode == OpenMode::create_new) {
    return system_error(ticket.call, path, EEXIST);
  } else if (node->kind == FileKind::directory) {
    return system_error(ticket.call, path, EISDIR);
  } else if (mode == OpenMode::truncate) {
    node->content.resize(0);
    node->count_bytes();
    node->modified_ms = machine.clock.wall_ms();
  }
  return std::make_unique<SimFile>(machine_, std::move(node), path, ticket.boot, writes);
}

Result<std::optional<FileInfo>> SimFileSystem::stat(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimStat, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const SimPlace place = machine.find(path);
  if (place.error_number == EINVAL) return system_error(ticket.call, path, EINVAL);
  const SimNodePtr node = machine.look_up(place);
  if (node == nullptr) return std::optional<FileInfo>();
  return std::optional<FileInfo>({.kind = node->kind,
                                  .bytes = node->content.size(),
                                  .created_ms = node->created_ms,
                                  .modified_ms = node->modified_ms});
}

Result<> SimFileSystem::list_directory(const std::string& path, const DirectoryVisitor& visit) {
  constexpr std::size_t kBatch = 64;
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimList, path, std::nullopt));
  std::vector<std::pair<std::string, FileKind>> batch;
  std::string last;  // no entry has an empty name
  do {
    {
      const MutexLock lock(machine.mutex);
      STRATA_TRY(machine.check_up(ticket, path));
      if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
      const SimPlace place = machine.find(path);
      const SimNodePtr node = machine.look_up(place);
      if (node == nullptr || node->kind != FileKind::directory) {
        const int reason = node != nullptr ? ENOTDIR : ENOENT;
        return system_error(ticket.call, path,
                            place.error_number != 0 ? place.error_number : reason);
      }
      auto entry = last.empty() ? node->entries.begin() : node->entries.upper_bound(last);
      for (batch.clear(); entry != node->entries.end() && batch.size() < kBatch; ++entry) {
        batch.emplace_back(entry->first, entry->second->kind);
      }
    }
    for (const auto& [name, kind] : batch) {
      if (!visit(name, kind)) return {};
      last = name;
    }
  } while (!batch.empty());
  return {};
}

Result<bool> SimFileSystem::create_directory(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimCreateDirectory, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const SimPlace place = machine.find(path);
  if (place.folder == nullptr) return system_error(ticket.call, path, place.error_number);
  const SimNodePtr node = machine.look_up(place);
  if (node != nullptr) {
    if (node->kind == FileKind::directory) return false;
    return system_error(ticket.call, path, EEXIST);
  }
  machine.add(place, FileKind::directory);
  return true;
}

Result<bool> SimFileSystem::remove(const std::string& path) {
  return remove_node(path, FileKind::file);
}

Result<bool> SimFileSystem::remove_directory(const std::string& path) {
  return remove_node(path, FileKind::directory);
}

Result<bool> SimFileSystem::remove_node(const std::string& path, FileKind kind) {
  SimMachine& machine = *machine_;
  const bool folder = kind == FileKind::directory;
  STRATA_LET(const SimTicket ticket,
             machine.admit(folder ? kSimRemoveDirectory : kSimRemove, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const SimPlace place = machine.find(path);
  if (place.error_number == EINVAL ||
      (folder && place.error_number != 0 && place.error_number != ENOENT)) {
    return system_error(ticket.call, path, place.error_number);
  }
  const SimNodePtr node = machine.look_up(place);
  if (node == nullptr) return false;
  if (node->kind != kind) return system_error(ticket.call, path, folder ? ENOTDIR : EISDIR);
  if (place.name.empty()) return system_error(ticket.call, path, EBUSY);
  if (!node->entries.empty()) return system_error(ticket.call, path, ENOTEMPTY);
  machine.names.apply({{place.folder, place.name, nullptr}});
  return true;
}

namespace {

/// Whether `folder` is `node` or lies below it.
bool contains(const SimNode& node, const SimNode& folder) {
  if (&node == &folder) return true;
  return std::any_of(node.entries.begin(), node.entries.end(), [&folder](const auto& entry) {
    return entry.second->kind == FileKind::directory && contains(*entry.second, folder);
  });
}

/// Why the node may not take the place of the other one (null: nothing there); 0: it may.
int rename_error(const SimNodePtr& node, const SimPlace& to, const SimNodePtr& there) {
  if (to.folder == nullptr) return to.error_number;
  if (node == nullptr) return ENOENT;
  if (to.name.empty()) return EBUSY;
  if (node->kind == FileKind::directory && contains(*node, *to.folder)) return EINVAL;
  if (there == nullptr) return 0;
  if (there->kind != node->kind) return there->kind == FileKind::directory ? EISDIR : ENOTDIR;
  return there->entries.empty() ? 0 : ENOTEMPTY;
}

}  // namespace

Result<> SimFileSystem::rename(const std::string& from, const std::string& to) {
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimRename, from, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, from));
  const SimPlace source = machine.find(from);
  const SimPlace target = machine.find(to);
  const SimNodePtr node = machine.look_up(source);
  const SimNodePtr there = machine.look_up(target);
  int error_number = ticket.error_number;
  if (error_number == 0) error_number = source.error_number;
  if (error_number == 0 && source.name.empty()) error_number = EBUSY;
  if (error_number == 0) error_number = rename_error(node, target, there);
  if (error_number != 0) {
    const Error error = system_error(ticket.call, from, error_number);
    return Error(error.code(), error.message() + " (to " + base::quote(to, 512) + ")");
  }
  if (node == there) return {};
  machine.names.apply({{source.folder, source.name, nullptr}, {target.folder, target.name, node}});
  return {};
}

Result<> SimFileSystem::sync_directory(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimSyncDirectory, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const SimPlace place = machine.find(path);
  const SimNodePtr node = machine.look_up(place);
  if (node == nullptr) {
    return system_error(ticket.call, path, place.error_number != 0 ? place.error_number : ENOENT);
  }
  if (node->kind != FileKind::directory) return system_error(ticket.call, path, ENOTDIR);
  machine.names.sync(node);
  return {};
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock_file(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimLock, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const SimPlace place = machine.find(path);
  if (place.folder == nullptr) return system_error(ticket.call, path, place.error_number);
  SimNodePtr node = machine.look_up(place);
  if (node == nullptr) node = machine.add(place, FileKind::file);
  if (node->kind == FileKind::directory) return system_error(ticket.call, path, EISDIR);
  const std::string pid = std::to_string(::getpid());
  if (node->locked) {
    return Error(Code::busy, "lock " + base::quote(path, 512) + ": held by process " + pid);
  }
  node->locked = true;
  node->content.resize(0);
  node->content.write(0, pid + "\n");
  node->count_bytes();
  return std::make_unique<SimLock>(machine_, std::move(node), ticket.boot);
}

Result<SpaceInfo> SimFileSystem::space(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const SimTicket ticket, machine.admit(kSimSpace, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  if (machine.look_up(machine.find(path)) == nullptr) {
    return system_error(ticket.call, path, ENOENT);
  }
  return SpaceInfo{.total_bytes = machine.capacity_bytes, .free_bytes = machine.room_bytes()};
}

void SimFileSystem::inject(SimFault fault) {
  const MutexLock lock(machine_->mutex);
  machine_->faults.push_back(std::move(fault));
}

void SimFileSystem::clear_faults() {
  const MutexLock lock(machine_->mutex);
  machine_->faults.clear();
}

std::uint64_t SimFileSystem::mutating_calls() const {
  const MutexLock lock(machine_->mutex);
  return machine_->mutating_calls;
}

void SimFileSystem::crash_after(std::uint64_t calls) {
  const MutexLock lock(machine_->mutex);
  machine_->calls_left = calls;
}

bool SimFileSystem::is_down() const {
  const MutexLock lock(machine_->mutex);
  return machine_->down;
}

void SimFileSystem::crash(CrashStyle style) {
  const MutexLock lock(machine_->mutex);
  machine_->names.crash(machine_->random, style);
  machine_->calls_left.reset();
  machine_->down = false;
  ++machine_->boot;
}

Result<> SimFileSystem::flip_bit(const std::string& path, std::uint64_t bit) {
  const MutexLock lock(machine_->mutex);
  const SimNodePtr node = machine_->look_up(machine_->find(path));
  if (node == nullptr) return system_error("flip a bit of", path, ENOENT);
  if (bit / 8 >= node->content.size()) return system_error("flip a bit of", path, EINVAL);
  node->content.flip(bit);
  return {};
}

Result<std::uint64_t> SimFileSystem::flip_random_bit(const std::string& path) {
  std::uint64_t bit = 0;
  {
    const MutexLock lock(machine_->mutex);
    const SimNodePtr node = machine_->look_up(machine_->find(path));
    const std::uint64_t bytes = node == nullptr ? 0 : node->content.size();
    if (bytes > 0) bit = machine_->random.uniform(bytes * 8);
  }
  STRATA_TRY(flip_bit(path, bit));
  return bit;
}

void SimFileSystem::set_capacity_bytes(std::uint64_t bytes) {
  const MutexLock lock(machine_->mutex);
  machine_->capacity_bytes = bytes;
}

}  // namespace strata::io
