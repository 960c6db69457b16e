// What a thread does with a store: one class for engines, one for std::unordered_map, and one that
// does nothing and so measures the loop itself. run_workload() runs any of them.
//
// Threads: a store object is one thread's; the engine under it is shared, the map is not.
// Always:  every value that is read is checked.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "figures/record.h"
#include "figures/steps.h"
#include "strata/engine.h"

namespace strata::bench {

inline constexpr std::size_t kGroupMax = 128;

enum class Operation : std::uint8_t {
  get,     ///< one record
  half,    ///< a get or a put, by the step's coin
  update,  ///< read, count up, write, by Engine::update
  patch,   ///< eight bytes of the value, in place, by a batch
  mget,    ///< `group` records at once
  put,     ///< one record
  batch,   ///< `group` puts in one commit
  mixed    ///< of `group` steps those that read in one mget, those that write in one commit
};

struct Workload {
  std::string_view name;
  Operation operation;
  std::size_t group = 1;
  /// An engine that can keeps several groups under way instead (figures/flights.h).
  bool in_flight = false;
};

class EngineStore {
 public:
  EngineStore(Engine& engine, std::size_t value_bytes)
      : engine_(engine), value_bytes_(value_bytes), values_(value_bytes), reads_(kGroupMax) {}

  void get(std::uint32_t number) {
    const Key key(number);
    const Result<std::optional<RecordInfo>> info = engine_.get(key.ref(), value_);
    must_be(info);
    if (!*info) give_up("a record has gone");
    check_value(value_.view(), number, value_bytes_);
  }
  void put(std::uint32_t number) {
    const Key key(number);
    must_be(engine_.put(key.ref(), values_.make(number, 0)));
  }
  void update(std::uint32_t number) {
    const Key key(number);
    must_be(engine_.update(key.ref(), [&](const Current& current, Update& update) -> Result<> {
      check_value(current.value, number, value_bytes_);
      update.action = Update::Action::put;
      update.value = current.value;
      base::store_u64_le(update.value.data() + kCounterOffset, counter_of(current.value) + 1);
      return {};
    }));
  }
  void patch(std::uint32_t number) {
    const Key key(number);
    char counter[8];
    base::store_u64_le(counter, ++patches_);
    batch_.clear();
    batch_.patch(key.ref(), kCounterOffset, sizeof(counter), {counter, sizeof(counter)});
    must_be(engine_.commit(batch_));
  }
  void mget(std::span<const Step> steps) {
    for (const Step step : steps) ask(step.number);
    fetch();
  }
  void put_all(std::span<const Step> steps) {
    batch_.clear();
    for (const Step step : steps) add(step.number);
    must_be(engine_.commit(batch_));
  }
  void mixed(std::span<const Step> steps) {
    batch_.clear();
    for (const Step step : steps) {
      if (step.write != 0) {
        add(step.number);
      } else {
        ask(step.number);
      }
    }
    fetch();
    if (!batch_.empty()) must(engine_.commit(batch_));
  }
  /// Reads every record.
  std::uint64_t sum_of_counters(std::uint64_t records) {
    std::uint64_t sum = 0;
    for (std::uint64_t first = 0; first < records; first += kGroupMax) {
      const std::uint64_t end = std::min<std::uint64_t>(records, first + kGroupMax);
      for (std::uint64_t i = first; i < end; ++i) ask(static_cast<std::uint32_t>(i));
      sum += fetch();
    }
    return sum;
  }

 private:
  void ask(std::uint32_t number) {
    asked_[asked_count_] = number;
    keys_[asked_count_].set(number);
    reads_[asked_count_].key = keys_[asked_count_].ref();
    ++asked_count_;
  }
  std::uint64_t fetch() {
    must(engine_.mget(std::span(reads_).first(asked_count_)));
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < asked_count_; ++i) {
      if (!reads_[i].info) give_up("a record has gone");
      check_value(reads_[i].value.view(), asked_[i], value_bytes_);
      sum += counter_of(reads_[i].value.view());
    }
    asked_count_ = 0;
    return sum;
  }
  void add(std::uint32_t number) {
    const Key key(number);
    batch_.put(key.ref(), values_.make(number, 0));
  }

  Engine& engine_;
  std::size_t value_bytes_;
  ValueMaker values_;
  Value value_;
  WriteBatch batch_;
  std::vector<Read> reads_;
  std::array<Key, kGroupMax> keys_;
  std::array<std::uint32_t, kGroupMax> asked_{};
  std::size_t asked_count_ = 0;
  std::uint64_t patches_ = 0;
};

/// Keys and values as plain fields, as a program without a store would have them.
inline constexpr std::size_t kMapValueBytes = 100;
using PlainMap = std::unordered_map<std::uint64_t, std::array<char, kMapValueBytes>>;

class MapStore {
 public:
  explicit MapStore(PlainMap& map) : map_(map), values_(kMapValueBytes) {}

  void get(std::uint32_t number) {
    copy_ = found(number);
    check_value({copy_.data(), copy_.size()}, number, kMapValueBytes);
  }
  void put(std::uint32_t number) {
    const BytesView value = values_.make(number, 0);
    std::ranges::copy(value, map_[base::mix64(number)].begin());
  }
  void update(std::uint32_t number) {
    std::array<char, kMapValueBytes>& value = found(number);
    check_value({value.data(), value.size()}, number, kMapValueBytes);
    base::store_u64_le(value.data() + kCounterOffset, counter_of({value.data(), value.size()}) + 1);
  }
  void patch(std::uint32_t number) {
    base::store_u64_le(found(number).data() + kCounterOffset, ++patches_);
  }
  void mget(std::span<const Step> steps) {
    for (const Step step : steps) get(step.number);
  }
  void put_all(std::span<const Step> steps) {
    for (const Step step : steps) put(step.number);
  }
  void mixed(std::span<const Step> steps) {
    for (const Step step : steps) step.write != 0 ? put(step.number) : get(step.number);
  }

 private:
  std::array<char, kMapValueBytes>& found(std::uint32_t number) {
    const auto at = map_.find(base::mix64(number));
    if (at == map_.end()) give_up("a record has gone");
    return at->second;
  }

  PlainMap& map_;
  ValueMaker values_;
  std::array<char, kMapValueBytes> copy_{};
  std::uint64_t patches_ = 0;
};

/// Makes keys and values, and throws them away.
class NoStore {
 public:
  explicit NoStore(std::size_t value_bytes) : values_(value_bytes) {}

  void get(std::uint32_t number) {
    const Key key(number);
    keep(key.view());
  }
  void put(std::uint32_t number) {
    get(number);
    keep(values_.make(number, 0));
  }
  void update(std::uint32_t number) { get(number); }
  void patch(std::uint32_t number) { get(number); }
  void mget(std::span<const Step> steps) {
    for (const Step step : steps) get(step.number);
  }
  void put_all(std::span<const Step> steps) {
    for (const Step step : steps) put(step.number);
  }
  void mixed(std::span<const Step> steps) {
    for (const Step step : steps) step.write != 0 ? put(step.number) : get(step.number);
  }

 private:
  /// The compiler must believe that somebody reads them.
  static void keep(BytesView bytes) { asm volatile("" : : "r"(bytes.data()) : "memory"); }

  ValueMaker values_;
};

/// Runs until `stop`; gives how many records were touched.
template <class Store>
std::uint64_t run_workload(Store& store, const Workload& workload, std::span<const Step> steps,
                           const std::atomic<bool>& stop) {
  StepCursor cursor(steps);
  std::uint64_t done = 0;
  const auto repeat = [&](std::size_t count, auto&& act) {
    // relaxed: joining the thread orders the rest.
    for (; !stop.load(std::memory_order_relaxed); done += count) act();
  };
  const std::size_t group = workload.group;
  switch (workload.operation) {
    case Operation::get:
      repeat(1, [&] { store.get(cursor.next().number); });
      break;
    case Operation::half:
      repeat(1, [&] {
        const Step step = cursor.next();
        step.write != 0 ? store.put(step.number) : store.get(step.number);
      });
      break;
    case Operation::update:
      repeat(1, [&] { store.update(cursor.next().number); });
      break;
    case Operation::patch:
      repeat(1, [&] { store.patch(cursor.next().number); });
      break;
    case Operation::put:
      repeat(1, [&] { store.put(cursor.next().number); });
      break;
    case Operation::mget:
      repeat(group, [&] { store.mget(cursor.next(group)); });
      break;
    case Operation::batch:
      repeat(group, [&] { store.put_all(cursor.next(group)); });
      break;
    case Operation::mixed:
      repeat(group, [&] { store.mixed(cursor.next(group)); });
      break;
  }
  return done;
}

}  // namespace strata::bench
