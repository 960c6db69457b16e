// Scans of 100 records with their values, from random keys, by one thread.
#include <fmt/format.h>

#include <algorithm>

#include "base/parse.h"
#include "figures/race.h"
#include "figures/subject.h"
#include "strata/capabilities.h"

namespace strata::bench {

namespace {

constexpr std::uint32_t kScanRecords = 100;

void check_page(const ScanPage& page, const Key& begin, std::size_t value_bytes) {
  if (page.empty() || page[0].key != begin.view()) give_up("a scan began at another key");
  if (page.size() < kScanRecords && page.more()) give_up("a scan ended too early");
  for (std::size_t i = 0; i < page.size(); ++i) {
    const ScanEntry entry = page[i];
    if (i != 0 && page[i - 1].key >= entry.key) give_up("a scan is out of order");
    if (entry.value.size() != value_bytes ||
        Key(base::load_u64_le(entry.value.data())).view() != entry.key) {
      give_up("a scan gave another record's value");
    }
  }
}

std::uint64_t scan_until(Ordered& ordered, const Shape& shape, std::span<const Step> steps,
                         const std::atomic<bool>& stop) {
  const ScanOptions options{
      .limit = kScanRecords, .page_records = kScanRecords, .page_bytes = 16 << 20};
  StepCursor cursor(steps);
  Range range{.space = kSpace, .begin = {}, .end = {}};
  ScanPage page;
  std::uint64_t done = 0;
  for (; !stop.load(std::memory_order_relaxed); ++done) {
    const Key begin(cursor.next().number);
    range.begin = begin.view();
    must(ordered.scan(range, options, page));
    check_page(page, begin, shape.value_bytes);
  }
  return done;
}

}  // namespace

void run_scans(const Settings& settings) {
  Shape shape{.records = settings.records, .memory_bytes = settings.memory_bytes};
  if (shape.memory_bytes == 0) {
    shape.memory_bytes = std::max<std::uint64_t>(std::uint64_t{1} << 30, shape.data_bytes() * 8);
  }
  fmt::print("## Scans of {} records with values, of {}, in memory\n\n", kScanRecords,
             shape.records);
  const auto subjects = make_subjects(settings, shape, Kinds::engines);
  print_setup(subjects);
  const StepSets steps(shape.records, 1);
  for (const std::unique_ptr<Subject>& subject : subjects) {
    subject->renew();
    if (subject->engine()->as<Ordered>() == nullptr) {
      subject->close();
    } else {
      subject->load();
    }
  }
  Table table("k scans/s");
  for (unsigned round = 0; round < settings.rounds; ++round) {
    for (const bool zipf : {false, true}) {
      for (const std::unique_ptr<Subject>& subject : subjects) {
        if (subject->engine() == nullptr) continue;
        Ordered& ordered = *subject->engine()->as<Ordered>();
        const Raced raced = race(subject->engine(), 1, settings.run_ms,
                                 [&](unsigned, const std::atomic<bool>& stop) {
                                   return scan_until(ordered, shape, steps.of(zipf)[0].all(), stop);
                                 });
        table.add(subject->name(), zipf ? "zipf" : "uniform", raced.per_second / 1e3);
      }
    }
  }
  table.print();
}

}  // namespace strata::bench
