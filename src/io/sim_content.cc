// Keeps the old bytes of each dirty sector, so that a sync costs what was written and not the file.
#include "io/sim_content.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace strata::io {

std::size_t SimContent::read(std::uint64_t offset, std::span<char> to) const noexcept {
  if (offset >= current_.size()) return 0;
  const std::size_t n = std::min<std::size_t>(to.size(), current_.size() - offset);
  if (n > 0) std::memcpy(to.data(), current_.data() + offset, n);
  return n;
}

void SimContent::write(std::uint64_t offset, BytesView bytes) {
  if (bytes.empty()) return;
  touch(offset, offset + bytes.size());
  if (offset + bytes.size() > current_.size()) current_.resize(offset + bytes.size(), '\0');
  std::memcpy(current_.data() + offset, bytes.data(), bytes.size());
}

void SimContent::resize(std::uint64_t bytes) {
  // What is cut off is what a lost cut brings back; what is added has no old bytes.
  if (bytes < current_.size()) touch(bytes, current_.size());
  current_.resize(bytes, '\0');
}

void SimContent::touch(std::uint64_t first_byte, std::uint64_t end_byte) {
  const std::uint64_t last = (end_byte - 1) / kSectorBytes;
  for (std::uint64_t sector = first_byte / kSectorBytes; sector <= last; ++sector) {
    const auto [entry, added] = undo_.try_emplace(sector);
    entry->second.dropped = false;
    if (!added) continue;
    const std::uint64_t start = sector * kSectorBytes;
    const std::uint64_t end = std::min({start + kSectorBytes, current_.size(), durable_bytes_});
    if (start < end) entry->second.durable = current_.substr(start, end - start);
  }
}

void SimContent::sync() {
  durable_bytes_ = current_.size();
  std::erase_if(undo_, [this](const auto& entry) {
    return !entry.second.dropped || entry.first * kSectorBytes >= durable_bytes_;
  });
}

void SimContent::drop_dirty() {
  for (auto& [sector, undo] : undo_) undo.dropped = true;
}

void SimContent::write_back(base::Random& random) {
  std::erase_if(undo_, [&](const auto& entry) {
    const std::uint64_t start = entry.first * kSectorBytes;
    if (entry.second.dropped || start >= current_.size() || random.one_in(2)) return false;
    // Bytes behind the durable end bring the size with them.
    const std::uint64_t end = std::min<std::uint64_t>(start + kSectorBytes, current_.size());
    durable_bytes_ = std::max(durable_bytes_, end);
    return true;
  });
}

std::uint64_t SimContent::surviving_bytes(base::Random& random, CrashStyle style) const {
  const std::uint64_t now = current_.size();
  if (style == CrashStyle::lose) return durable_bytes_;
  if (style == CrashStyle::keep || now == durable_bytes_) return now;
  const std::uint64_t choice = random.uniform(now > durable_bytes_ ? 3 : 2);
  if (choice == 0) return durable_bytes_;
  if (choice == 1) return now;
  const std::uint64_t torn = random.between(durable_bytes_, now) / kSectorBytes * kSectorBytes;
  return std::max(torn, durable_bytes_);
}

void SimContent::crash(base::Random& random, CrashStyle style) {
  const std::uint64_t before = current_.size();
  const std::uint64_t after = surviving_bytes(random, style);
  if (after > before) current_.resize(after, '\0');  // a cut is lost, what it cut off comes back
  for (const auto& [sector, undo] : undo_) {
    const bool cut_is_lost = after > before && (sector + 1) * kSectorBytes > before;
    const bool kept = style == CrashStyle::keep ||
                      (style == CrashStyle::random && random.one_in(2) && !cut_is_lost);
    if (!kept || undo.dropped) restore(sector, undo);
  }
  current_.resize(after, '\0');
  undo_.clear();
  durable_bytes_ = after;
}

void SimContent::restore(std::uint64_t sector, const Undo& undo) {
  const std::uint64_t start = sector * kSectorBytes;
  if (start >= current_.size()) return;
  const std::size_t room = std::min<std::size_t>(kSectorBytes, current_.size() - start);
  const std::size_t n = std::min(room, undo.durable.size());
  std::memset(current_.data() + start, 0, room);
  if (n > 0) std::memcpy(current_.data() + start, undo.durable.data(), n);
}

void SimContent::flip(std::uint64_t bit) {
  const std::uint64_t byte = bit / 8;
  const auto mask = static_cast<char>(1 << (bit % 8));
  STRATA_CHECK(byte < current_.size());
  current_[byte] = static_cast<char>(current_[byte] ^ mask);
  const auto entry = undo_.find(byte / kSectorBytes);
  if (entry == undo_.end()) return;
  Bytes& durable = entry->second.durable;
  const std::size_t at = byte % kSectorBytes;
  if (at < durable.size()) durable[at] = static_cast<char>(durable[at] ^ mask);
}

}  // namespace strata::io
