// The records of the figures: numbers 0, 1, 2, ... made into keys and values.
//
//   key    8 bytes: the number, mixed, big-endian, so that numbers in order are keys in none
//   value  number (8 bytes), counter (8), then bytes that do not compress; little-endian
#pragma once

#include <cstdint>
#include <string>

#include "base/coding.h"
#include "base/random.h"
#include "must.h"
#include "strata/record.h"

namespace strata::bench {

inline constexpr Keyspace kSpace{16};
inline constexpr std::size_t kKeyBytes = 8;
inline constexpr std::size_t kCounterOffset = 8;
inline constexpr std::size_t kValueBytesMin = 16;

/// Owns its eight bytes, so that a batch of reads can borrow them.
class Key {
 public:
  Key() = default;
  explicit Key(std::uint64_t number) { set(number); }
  void set(std::uint64_t number) { base::store_u64_be(bytes_, base::mix64(number)); }
  BytesView view() const noexcept { return {bytes_, kKeyBytes}; }
  KeyRef ref() const noexcept { return {kSpace, view()}; }

 private:
  char bytes_[kKeyBytes] = {};
};

/// Makes values of one length, each into the same buffer.
class ValueMaker {
 public:
  explicit ValueMaker(std::size_t value_bytes)
      : pool_(base::Random(7).bytes(kPoolBytes + value_bytes)), value_(value_bytes, '\0') {}

  /// Valid until the next call. Costs a copy of its length.
  BytesView make(std::uint64_t number, std::uint64_t counter) {
    const std::size_t offset = (number * 61) % kPoolBytes;
    std::memcpy(value_.data(), pool_.data() + offset, value_.size());
    base::store_u64_le(value_.data(), number);
    base::store_u64_le(value_.data() + kCounterOffset, counter);
    return value_;
  }

 private:
  static constexpr std::size_t kPoolBytes = std::size_t{1} << 18;
  Bytes pool_;
  Bytes value_;
};

inline void check_value(BytesView value, std::uint64_t number, std::size_t value_bytes) {
  if (value.size() != value_bytes || base::load_u64_le(value.data()) != number) [[unlikely]] {
    give_up("a read of record " + std::to_string(number) + " gave something else");
  }
}

inline std::uint64_t counter_of(BytesView value) {
  return base::load_u64_le(value.data() + kCounterOffset);
}

}  // namespace strata::bench
