#include "cli/bench_command.h"

#include <algorithm>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/random.h"
#include "base/thread.h"
#include "cli/interrupt.h"
#include "cli/text.h"
#include "contract/keyspaces.h"
#include "stack/open.h"

namespace strata::cli {

namespace {

constexpr std::string_view kKeyspaceName = "strata-bench";
constexpr std::uint32_t kSweepRecords = 10'000;

/// What one thread did.
struct Course {
  base::Histogram reads_ns;
  base::Histogram writes_ns;
  Result<> outcome;
};

std::string key_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return "key" + std::string(12 - std::min<std::size_t>(12, digits.size()), '0') + digits;
}

Result<> operate(Engine& engine, Keyspace space, const BenchOptions& options,
                 std::uint64_t operations, base::Random random, Course& course) {
  const base::Clock& clock = base::system_clock();
  Value value;
  for (std::uint64_t i = 0; i < operations && !interrupted(); ++i) {
    const std::string key = key_of(random.uniform(options.keys));
    const bool read = random.uniform(100) < options.reads_percent;
    const Bytes content = read ? Bytes() : random.bytes(options.value_bytes);
    const std::int64_t started = clock.monotonic_ns();
    if (read) {
      STRATA_TRY(engine.get({space, key}, value));
    } else {
      STRATA_TRY(engine.put({space, key}, content));
    }
    const auto ns = static_cast<std::uint64_t>(clock.monotonic_ns() - started);
    (read ? course.reads_ns : course.writes_ns).record(ns);
  }
  return {};
}

Result<> fill(Engine& engine, Keyspace space, const BenchOptions& options) {
  base::Random random(options.seed);
  for (std::uint64_t i = 0; i < options.keys && !interrupted(); ++i) {
    STRATA_TRY(engine.put({space, key_of(i)}, random.bytes(options.value_bytes)));
  }
  return {};
}

Result<> run_threads(Engine& engine, Keyspace space, const BenchOptions& options,
                     std::vector<Course>& courses) {
  base::Random seeds(options.seed + 1);
  std::vector<base::Thread> threads;
  for (Course& course : courses) {
    const std::uint64_t share = options.operations / courses.size();
    STRATA_LET(auto thread, base::Thread::start("bench", [&, share, random = seeds.split()] {
                 course.outcome = operate(engine, space, options, share, random, course);
               }));
    threads.push_back(std::move(thread));
  }
  for (base::Thread& thread : threads) thread.join();
  for (Course& course : courses) STRATA_TRY(course.outcome);
  return {};
}

void report(const char* what, const base::Histogram& ns, double seconds, bool json) {
  const auto us = [&](double share) { return static_cast<double>(ns.quantile(share)) / 1000; };
  const double rate = seconds > 0 ? static_cast<double>(ns.count()) / seconds : 0;
  char line[256];
  const char* form = json ? "{\"operation\":\"%s\",\"count\":%llu,\"per_second\":%.0f,"
                            "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f}\n"
                          : "%-6s %10llu ops  %10.0f ops/s   p50 %.1f us   p99 %.1f us   "
                            "p99.9 %.1f us\n";
  const int n =
      std::snprintf(line, sizeof line, form, what, static_cast<unsigned long long>(ns.count()),
                    rate, us(0.5), us(0.99), us(0.999));
  print(stdout, BytesView(line, static_cast<std::size_t>(n)));
}

}  // namespace

Result<ExitCode> run_bench(Context& context, const BenchOptions& options) {
  take_signals();
  STRATA_LET(const std::unique_ptr<Store> store, context.open_store(true));
  Engine& engine = store->engine();
  STRATA_LET(const Keyspace space, store->keyspace(kKeyspaceName));
  STRATA_TRY(fill(engine, space, options));
  std::vector<Course> courses(options.threads);
  const std::int64_t started = base::system_clock().monotonic_ns();
  STRATA_TRY(run_threads(engine, space, options, courses));
  const auto ns = static_cast<double>(base::system_clock().monotonic_ns() - started);
  Course all;
  for (const Course& course : courses) {
    all.reads_ns.merge(course.reads_ns);
    all.writes_ns.merge(course.writes_ns);
  }
  if (!context.common.json)
    print(stdout, "backend " + stack::backend_of(*store) + ", " + std::to_string(options.threads) +
                      " threads, " + std::to_string(options.keys) + " keys, values of " +
                      std::to_string(options.value_bytes) + " bytes\n");
  report("get", all.reads_ns, ns / 1e9, context.common.json);
  report("put", all.writes_ns, ns / 1e9, context.common.json);
  Keyspaces keyspaces(engine);
  STRATA_TRY(keyspaces.renew({std::string(kKeyspaceName)}));
  for (bool more = true; more;) {
    STRATA_LET(more, keyspaces.sweep(kSweepRecords));
  }
  STRATA_TRY(store->close());
  return interrupted().value_or(ExitCode::ok);
}

}  // namespace strata::cli
