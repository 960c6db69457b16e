// SimContent: the bytes of one simulated file, as they are and as the disk would give them back.
//
// What is read is `current_`. What the disk holds is current_ with, for each 512-byte sector that
// was changed and not synced, the sector put back that undo_ keeps, and durable_bytes_ as the size.
//
// Threads: one at a time (the simulated machine's mutex).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "base/random.h"
#include "strata/bytes.h"

namespace strata::io {

/// What a loss of power does to everything that was not synced.
enum class CrashStyle : unsigned char {
  random,  ///< each sector and each name by itself, by the seed: kept or lost
  lose,    ///< all of it is lost
  keep     ///< all of it is kept, but what a failed sync dropped
};

class SimContent {
 public:
  static constexpr std::uint64_t kSectorBytes = 512;

  std::uint64_t size() const noexcept { return current_.size(); }
  std::size_t read(std::uint64_t offset, std::span<char> to) const noexcept;
  /// A gap between the end and `offset` becomes zeros.
  void write(std::uint64_t offset, BytesView bytes);
  /// Cuts, or grows with zeros.
  void resize(std::uint64_t bytes);

  /// A sync that succeeds: all is durable, but what an earlier sync that failed has dropped.
  void sync();
  /// A sync that fails, as Linux does it: what is dirty now counts as written, reads still show it,
  /// and no later sync writes it, unless the sector is written to again.
  void drop_dirty();
  /// What the system may do on its own at any time: some dirty sectors reach the disk.
  void write_back(base::Random& random);
  /// Power is lost: the disk's view becomes the only one.
  void crash(base::Random& random, CrashStyle style);
  /// Flips one bit, on the disk and in what is read. `bit` < size() * 8.
  void flip(std::uint64_t bit);

 private:
  struct Undo {
    Bytes durable;         // up to 512 bytes; what is missing is zeros
    bool dropped = false;  // a sync failed on it
  };

  void touch(std::uint64_t first_byte, std::uint64_t end_byte);
  void restore(std::uint64_t sector, const Undo& undo);
  std::uint64_t surviving_bytes(base::Random& random, CrashStyle style) const;

  Bytes current_;
  std::uint64_t durable_bytes_ = 0;
  std::map<std::uint64_t, Undo> undo_;  // by sector
};

}  // namespace strata::io
