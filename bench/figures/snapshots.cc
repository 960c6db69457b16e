// Snapshots under full write load, by twice as many writers as there are cores: how long one takes
// to open, and what writers lose while one lives.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/histogram.h"
#include "base/parse.h"
#include "figures/race.h"
#include "figures/subject.h"
#include "strata/capabilities.h"

namespace strata::bench {

namespace {

/// What the writers of one race share with the one who watches them.
struct Watched {
  explicit Watched(unsigned threads) : written(threads) {}

  struct alignas(64) Count {
    std::atomic<std::uint64_t> value{0};  // relaxed: a figure that orders nothing
  };
  std::vector<Count> written;
  std::atomic<double> pace{0};  ///< puts a second of each thread; 0: all it can. relaxed

  std::uint64_t sum() const {
    std::uint64_t sum = 0;
    for (const Count& each : written) sum += each.value.load(std::memory_order_relaxed);
    return sum;
  }
};

/// Puts until `stop`; slower than it could where there is a pace.
std::uint64_t write_until(Engine& engine, const Shape& shape, std::span<const Step> steps,
                          Watched& watched, unsigned thread, const std::atomic<bool>& stop) {
  constexpr std::uint64_t kPutsPerLook = 64;
  EngineStore store(engine, shape.value_bytes);
  StepCursor cursor(steps);
  std::uint64_t done = 0;
  double kept_pace = 0;
  double due = 0;
  std::int64_t since_ns = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const double pace = watched.pace.load(std::memory_order_relaxed);
    if (pace != kept_pace) {
      kept_pace = pace;
      due = 0;
      since_ns = base::system_clock().monotonic_ns();
    }
    if (pace != 0 && seconds_since(since_ns) * pace < due) {
      base::system_clock().sleep_ns(200'000);
      continue;
    }
    for (std::uint64_t i = 0; i < kPutsPerLook && !stop.load(std::memory_order_relaxed); ++i) {
      store.put(cursor.next().number);
      ++done;
    }
    due += kPutsPerLook;
    watched.written[thread].value.store(done, std::memory_order_relaxed);
  }
  return done;
}

double rate_for(Engine& engine, const Watched& watched, std::int64_t run_ms) {
  const std::uint64_t before = watched.sum();
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  base::system_clock().sleep_ms(run_ms);
  const double rate = static_cast<double>(watched.sum() - before) / seconds_since(start_ns);
  must(engine.maintain(1000));
  return rate;
}

/// Some records as a snapshot shows them; asked twice, it must say the same.
std::vector<Version> versions_at(Engine& engine, const Shape& shape, const Snapshot& at) {
  std::vector<Version> versions;
  Value value;
  base::Random random(9);
  for (int i = 0; i < 256; ++i) {
    const std::uint64_t number = random.uniform(shape.records);
    const Key key(number);
    const std::optional<RecordInfo> info = must(engine.get(key.ref(), value, {.at = &at}));
    if (!info || info->version > at.version()) give_up("a snapshot shows what came after it");
    check_value(value.view(), number, shape.value_bytes);
    versions.push_back(info->version);
  }
  return versions;
}

base::Histogram open_many(Engine& engine, Snapshots& snapshots, std::int64_t run_ms) {
  base::Histogram opened;
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  while (seconds_since(start_ns) * 1000 < static_cast<double>(run_ms)) {
    const std::int64_t before_ns = base::system_clock().monotonic_ns();
    const std::unique_ptr<Snapshot> snapshot = must(snapshots.snapshot());
    const std::int64_t after_ns = base::system_clock().monotonic_ns();
    opened.record(static_cast<std::uint64_t>(after_ns - before_ns));
    base::system_clock().sleep_ns(100'000);
  }
  must(engine.maintain(1000));
  return opened;
}

class Case {
 public:
  Case(const Settings& settings, const Shape& shape, unsigned writers)
      : settings_(settings), shape_(shape), writers_(writers), steps_(shape.records, writers) {}

  void measure(Subject& subject, bool zipf) {
    Engine& engine = *subject.engine();
    Snapshots& snapshots = *engine.as<Snapshots>();
    const std::string row = fmt::format("{}, {}", subject.name(), zipf ? "zipf" : "uniform");
    Watched watched(writers_);
    std::atomic<bool> stop{false};  // relaxed: joining the threads orders the rest
    std::vector<std::thread> writers;
    for (unsigned t = 0; t < writers_; ++t) {
      writers.emplace_back(
          [&, t] { write_until(engine, shape_, steps_.of(zipf)[t].all(), watched, t, stop); });
    }
    const double peak = rate_for(engine, watched, settings_.run_ms);
    const base::Histogram opened = open_many(engine, snapshots, settings_.run_ms);
    opens_.add(row, "p50", us(opened.quantile(0.5)));
    opens_.add(row, "p99", us(opened.quantile(0.99)));
    opens_.add(row, "max", us(opened.max()));
    opens_.add(row, "opened", static_cast<double>(opened.count()));
    measure_pace(engine, snapshots, watched, row, full_);
    watched.pace.store(peak / 2 / writers_, std::memory_order_relaxed);
    measure_pace(engine, snapshots, watched, row, half_);
    stop.store(true, std::memory_order_relaxed);
    for (std::thread& writer : writers) writer.join();
  }

  void print() const {
    fmt::print("### Microseconds to open one, under full load\n\n");
    opens_.print();
    fmt::print("### Writers at full rate\n\n");
    full_.print();
    fmt::print("### Writers at half of their rate\n\n");
    half_.print();
  }

 private:
  static double us(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

  void measure_pace(Engine& engine, Snapshots& snapshots, const Watched& watched,
                    const std::string& row, Table& table) {
    table.add(row, "before", rate_for(engine, watched, settings_.run_ms) / 1e6);
    {
      const std::unique_ptr<Snapshot> snapshot = must(snapshots.snapshot());
      const std::vector<Version> seen = versions_at(engine, shape_, *snapshot);
      for (int quarter = 1; quarter <= 4; ++quarter) {
        table.add(row, fmt::format("one lives, {} of 4", quarter),
                  rate_for(engine, watched, settings_.run_ms) / 1e6);
      }
      if (versions_at(engine, shape_, *snapshot) != seen) give_up("a snapshot has changed");
    }
    table.add(row, "after", rate_for(engine, watched, settings_.run_ms) / 1e6);
  }

  const Settings& settings_;
  const Shape& shape_;
  const unsigned writers_;
  const StepSets steps_;
  Table opens_{"us"};
  Table full_{"M puts/s"};
  Table half_{"M puts/s"};
};

}  // namespace

void run_snapshots(const Settings& settings) {
  Shape shape{.records = settings.records, .memory_bytes = settings.memory_bytes};
  if (shape.memory_bytes == 0) {
    shape.memory_bytes = std::max<std::uint64_t>(std::uint64_t{2} << 30, shape.data_bytes() * 16);
  }
  const unsigned writers = 2 * std::max(1u, std::thread::hardware_concurrency());
  fmt::print("## Snapshots beside {} writers, of {} records in memory\n\n", writers, shape.records);
  const auto subjects = make_subjects(settings, shape, Kinds::engines);
  print_setup(subjects);
  Case the_case(settings, shape, writers);
  for (const std::unique_ptr<Subject>& subject : subjects) {
    subject->renew();
    if (subject->engine()->as<Snapshots>() == nullptr) continue;
    subject->load();
    for (unsigned round = 0; round < settings.rounds; ++round) {
      for (const bool zipf : {false, true}) the_case.measure(*subject, zipf);
    }
    subject->close();
  }
  the_case.print();
}

}  // namespace strata::bench
