// Flights: one thread that keeps several mgets of an engine under way at once, so that the device
// is never short of work while the slowest record of one of them is waited for.
//
// Threads: one; completions come from the engine's.
// Always:  every value that is read is checked; all has ended when run() returns.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "figures/record.h"
#include "figures/steps.h"
#include "must.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::bench {

class Flights {
 public:
  static constexpr std::size_t kFlights = 8;
  static constexpr std::size_t kReads = 32;

  Flights(Engine& engine, AsyncReads& reads, std::size_t value_bytes)
      : engine_(engine), reads_(reads), value_bytes_(value_bytes), values_(value_bytes) {}

  /// Until `stop`; steps that write are committed before the reads of their group begin, if
  /// `writes`, else they read as well. Gives how many records were touched.
  std::uint64_t run(std::span<const Step> steps, bool writes, const std::atomic<bool>& stop) {
    StepCursor cursor(steps);
    std::uint64_t done = 0;
    std::vector<std::unique_ptr<Flight>> flights;
    for (std::size_t i = 0; i < kFlights; ++i) {
      flights.push_back(std::make_unique<Flight>(*this));
      ended_.push_back(flights.back().get());
    }
    std::size_t under_way = 0;
    while (true) {
      for (Flight* const flight : take(under_way == kFlights)) {
        under_way -= flight->under_way ? 1 : 0;
        finish(*flight);
        // relaxed: joining the thread orders the rest.
        while (!stop.load(std::memory_order_relaxed)) {
          done += kReads;
          if (begin(*flight, cursor.next(kReads), writes)) {
            ++under_way;
            break;
          }
          finish(*flight);
        }
      }
      if (stop.load(std::memory_order_relaxed)) break;
    }
    while (under_way > 0) {
      for (Flight* const flight : take(true)) {
        finish(*flight);
        --under_way;
      }
    }
    return done;
  }

 private:
  struct Flight final : ReadCompletion {
    explicit Flight(Flights& owner) : owner_(owner), reads(kReads) {}
    void complete(Result<> end) noexcept override {
      result = std::move(end);
      owner_.end(*this);
    }

   private:
    Flights& owner_;

   public:
    std::vector<Read> reads;
    std::array<Key, kReads> keys;
    std::array<std::uint32_t, kReads> numbers{};
    std::size_t count = 0;
    bool under_way = false;
    Result<> result;
  };

  /// True: it is under way; else its reads have been answered.
  bool begin(Flight& flight, std::span<const Step> steps, bool writes) {
    batch_.clear();
    flight.count = 0;
    for (const Step step : steps) {
      if (writes && step.write != 0) {
        const Key key(step.number);
        batch_.put(key.ref(), values_.make(step.number, 0));
        continue;
      }
      Key& key = flight.keys[flight.count];
      key.set(step.number);
      flight.numbers[flight.count] = step.number;
      flight.reads[flight.count].key = key.ref();
      ++flight.count;
    }
    if (!batch_.empty()) must_be(engine_.commit(batch_));
    flight.under_way = true;  // before somebody else may say that it has ended
    std::optional<Result<>> at_once =
        reads_.start_mget(std::span(flight.reads).first(flight.count), kPlainRead, flight);
    if (!at_once) return true;
    flight.under_way = false;
    flight.result = *std::move(at_once);
    return false;
  }
  void finish(Flight& flight) {
    must_be(flight.result);
    for (std::size_t i = 0; i < flight.count; ++i) {
      if (!flight.reads[i].info) give_up("a record has gone");
      check_value(flight.reads[i].value.view(), flight.numbers[i], value_bytes_);
    }
    flight.count = 0;
    flight.under_way = false;
  }

  void end(Flight& flight) noexcept {
    const std::scoped_lock lock(mutex_);
    ended_.push_back(&flight);
    some_.notify_one();
  }
  /// Those that have ended. Valid until the next call.
  const std::vector<Flight*>& take(bool wait) {
    taken_.clear();
    std::unique_lock lock(mutex_);
    if (wait) some_.wait(lock, [this] { return !ended_.empty(); });
    taken_.swap(ended_);
    return taken_;
  }

  Engine& engine_;
  AsyncReads& reads_;
  const std::size_t value_bytes_;
  ValueMaker values_;
  WriteBatch batch_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::vector<Flight*> ended_;
  std::vector<Flight*> taken_;
};

}  // namespace strata::bench
