// KeyLocks: one of a fixed number of locks for each key, and all of them for who needs all keys.
//
// Always:  taken in rising order, so that two holders of many cannot wait for each other.
// Threads: any. A thread takes one set at a time.
//
// Words of our own and not 1024 mutexes: who needs all keys holds them all at once, and the thread
// sanitizer gives up on a thread that holds more than 64 mutexes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "strata/record.h"

namespace strata::backends::rocksdb {

class KeyLocks {
 public:
  static constexpr std::size_t kStripes = 1024;

  /// Holds the locks of some keys, or of all, while it lives.
  class Held {
   public:
    explicit Held(KeyLocks& locks) : locks_(locks) {}
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    /// Names a key; take() then takes the locks of all that were named.
    void name(const KeyRef& key);
    void name_all();
    void take();
    /// Lets go before the end.
    void release();

   private:
    KeyLocks& locks_;
    std::vector<std::uint16_t> stripes_;
    bool all_ = false;
    bool taken_ = false;
  };

 private:
  void lock(std::size_t stripe);
  void unlock(std::size_t stripe);

  // 1: held. Acquire when taken, release when let go, paired with itself.
  std::array<std::atomic<std::uint32_t>, kStripes> words_{};
};

}  // namespace strata::backends::rocksdb
