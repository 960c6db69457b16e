#include "figures/subject.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "figures/flights.h"
#include "figures/tuning.h"
#include "io/posix_file_system.h"
#include "report.h"
#include "scratch_folder.h"
#include "strata/capabilities.h"

namespace strata::bench {

namespace {

constexpr std::string_view kMapName = "unordered_map";

class EngineSubject final : public Subject {
 public:
  EngineSubject(const Settings& settings, const Shape& shape, const BackendSpec& backend,
                OptionValues options, std::string name, Tuning tuning)
      : settings_(settings),
        shape_(shape),
        backend_(backend),
        options_(std::move(options)),
        name_(std::move(name)),
        tuning_(std::move(tuning)) {}
  ~EngineSubject() override { close(); }

  const std::string& name() const noexcept override { return name_; }
  const std::string& how() const noexcept override { return tuning_.how; }
  Engine* engine() noexcept override { return engine_.get(); }

  void renew() override {
    close();
    if (!shape_.on_disk) {
      Result<std::unique_ptr<Engine>> opened = open_in("");
      if (opened) {
        engine_ = *std::move(opened);
        return;
      }
      // It cannot do without files: they lie in memory, too.
      if (opened.error().code() != Code::invalid_argument) must(std::move(opened));
    }
    folder_.emplace(shape_.on_disk ? settings_.folder : settings_.memory_folder);
    engine_ = must(open_in(folder_->path()));
  }

  double load() override {
    const std::size_t batch = shape_.load_batch != 0 ? shape_.load_batch : tuning_.load_batch;
    ValueMaker values(shape_.value_bytes);
    WriteBatch writes;
    const std::int64_t start_ns = base::system_clock().monotonic_ns();
    for (std::uint64_t i = 0; i < shape_.records; ++i) {
      const Key key(i);
      if (batch == 1) {
        must(engine_->put(key.ref(), values.make(i, 0)));
        continue;
      }
      writes.put(key.ref(), values.make(i, 0));
      if (writes.effects().size() < batch && i + 1 < shape_.records) continue;
      must(engine_->commit(writes));
      writes.clear();
    }
    const double seconds = seconds_since(start_ns);
    const std::uint64_t count = must(engine_->count(kSpace));
    // Without an order counts need not be exact (docs/adr/0010-counts-without-order.md).
    const bool exact = engine_->as<Ordered>() != nullptr;
    if (count > shape_.records || (exact && count != shape_.records)) {
      give_up(fmt::format("{} counts {} records", name_, count));
    }
    if (tuning_.compact_after_load) {
      if (Persistence* const persistence = engine_->as<Persistence>()) must(persistence->compact());
    }
    return static_cast<double>(shape_.records) / seconds;
  }

  std::uint64_t run(const Workload& workload, std::span<const Step> steps,
                    const std::atomic<bool>& stop) override {
    AsyncReads* const reads = engine_->as<AsyncReads>();
    if (workload.in_flight && reads != nullptr) {
      Flights flights(*engine_, *reads, shape_.value_bytes);
      return flights.run(steps, workload.operation == Operation::mixed, stop);
    }
    EngineStore store(*engine_, shape_.value_bytes);
    return run_workload(store, workload, steps, stop);
  }
  std::optional<std::uint64_t> sum_of_counters() override {
    return EngineStore(*engine_, shape_.value_bytes).sum_of_counters(shape_.records);
  }

  void reopen() override {
    must(engine_->close());
    engine_.reset();
    engine_ = must(open_in(folder_->path()));
  }
  void close() override {
    if (engine_ != nullptr) must(engine_->close());
    engine_.reset();
    folder_.reset();
  }

 private:
  Result<std::unique_ptr<Engine>> open_in(const std::string& folder) {
    Environment environment{.files = io::posix(), .clock = base::system_clock(), .folder = folder};
    environment.durability = Durability::none;
    environment.memory_bytes = shape_.memory_bytes;
    return backend_.open(options_, environment);
  }

  const Settings& settings_;
  const Shape shape_;
  const BackendSpec& backend_;
  const OptionValues options_;
  const std::string name_;
  const Tuning tuning_;
  std::optional<ScratchFolder> folder_;
  std::unique_ptr<Engine> engine_;
};

class MapSubject final : public Subject {
 public:
  explicit MapSubject(const Shape& shape) : records_(shape.records) {}

  const std::string& name() const noexcept override { return name_; }
  const std::string& how() const noexcept override { return how_; }
  unsigned threads_max() const noexcept override { return 1; }
  void renew() override { close(); }
  double load() override {
    MapStore store(map_);
    const std::int64_t start_ns = base::system_clock().monotonic_ns();
    for (std::uint64_t i = 0; i < records_; ++i) store.put(static_cast<std::uint32_t>(i));
    return static_cast<double>(records_) / seconds_since(start_ns);
  }
  std::uint64_t run(const Workload& workload, std::span<const Step> steps,
                    const std::atomic<bool>& stop) override {
    MapStore store(map_);
    return run_workload(store, workload, steps, stop);
  }
  std::optional<std::uint64_t> sum_of_counters() override {
    std::uint64_t sum = 0;
    for (const auto& [key, value] : map_) sum += counter_of({value.data(), value.size()});
    return sum;
  }
  void close() override { PlainMap().swap(map_); }

 private:
  const std::string name_{kMapName};
  const std::string how_ = "8-byte numbers to arrays of 100 bytes, one thread, no lock";
  const std::uint64_t records_;
  PlainMap map_;
};

class LoopSubject final : public Subject {
 public:
  explicit LoopSubject(const Shape& shape) : value_bytes_(shape.value_bytes) {}

  const std::string& name() const noexcept override { return name_; }
  const std::string& how() const noexcept override { return how_; }
  void renew() override {}
  double load() override { return 0; }
  std::uint64_t run(const Workload& workload, std::span<const Step> steps,
                    const std::atomic<bool>& stop) override {
    NoStore store(value_bytes_);
    return run_workload(store, workload, steps, stop);
  }
  void close() override {}

 private:
  const std::string name_ = "(the loop alone)";
  const std::string how_ =
      "makes the keys, and the values of puts, and asks nobody; its cost is in every other row";
  const std::size_t value_bytes_;
};

bool has_option(const BackendSpec& backend, std::string_view name) {
  return std::ranges::any_of(backend.options, [&](const OptionSpec& option) {
    return option.name == name && option.kind == OptionKind::boolean;
  });
}

void set_options(OptionValues& values, std::string_view assignments) {
  while (!assignments.empty()) {
    const std::string_view one = assignments.substr(0, assignments.find(':'));
    assignments.remove_prefix(std::min(assignments.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) give_up(fmt::format("{} is no OPTION=VALUE", one));
    must(values.set(one.substr(0, equals), one.substr(equals + 1)));
  }
}

}  // namespace

std::vector<std::unique_ptr<Subject>> make_subjects(const Settings& settings, const Shape& shape,
                                                    Kinds kinds) {
  static const Registry registry = Registry::builtin();
  std::vector<std::unique_ptr<Subject>> subjects;
  if (kinds == Kinds::all) subjects.push_back(std::make_unique<LoopSubject>(shape));
  for (const std::string& asked : settings.backends) {
    if (asked == kMapName) {
      if (kinds == Kinds::all) subjects.push_back(std::make_unique<MapSubject>(shape));
      continue;
    }
    const std::string name = asked.substr(0, asked.find(':'));
    const BackendSpec* const backend = registry.backend(name);
    if (backend == nullptr) {
      fmt::print("{}: this library was built without it\n", name);
      continue;
    }
    std::vector<std::string> settings_of = {asked.substr(std::min(asked.size(), name.size() + 1))};
    if (settings_of[0].empty() && has_option(*backend, "ordered")) {
      settings_of = {"ordered=false", "ordered=true"};
    }
    for (const std::string& assignments : settings_of) {
      Tuning tuning = tuning_of(name, shape);
      OptionValues values(backend->options);
      for (const auto& [option, value] : tuning.options) must(values.set(option, value));
      set_options(values, assignments);
      subjects.push_back(std::make_unique<EngineSubject>(
          settings, shape, *backend, std::move(values),
          assignments.empty() ? name : name + " " + assignments, std::move(tuning)));
    }
  }
  return subjects;
}

void print_setup(std::span<const std::unique_ptr<Subject>> subjects) {
  for (const std::unique_ptr<Subject>& subject : subjects) {
    if (!subject->how().empty()) fmt::print("- {}: {}\n", subject->name(), subject->how());
  }
  fmt::print("\n");
}

}  // namespace strata::bench
