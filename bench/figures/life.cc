// A store's life with data ten times its memory: load, rewrite a fifth, checkpoint, stop, start,
// restore; after each all is read back and compared, and the process's memory is watched.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/parse.h"
#include "figures/race.h"
#include "figures/record.h"
#include "figures/subject.h"
#include "scratch_folder.h"
#include "strata/capabilities.h"

namespace strata::bench {

namespace {

constexpr std::size_t kValueBytesMean = 1024;
constexpr std::size_t kReadTogether = 256;
constexpr std::size_t kPutTogether = 100;
constexpr std::uint64_t kRewrittenOneIn = 5;

Bytes bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.size() < 4 * kValueBytesMean) give_up(path + " has too few bytes");
  return bytes;
}

/// Values of 16 to 2,032 bytes, cut from random bytes and from real ones by turns.
class LifeValues {
 public:
  explicit LifeValues(const std::string& text)
      : random_(base::Random(11).bytes(std::size_t{1} << 22)),
        real_(text.empty() ? random_ : bytes_of(text)) {}

  BytesView make(std::uint64_t number, std::uint64_t counter) {
    const std::uint64_t mixed = base::mix64(number * 2 + counter);
    const Bytes& from = number % 2 == 0 ? real_ : random_;
    const std::size_t bytes = kValueBytesMin + mixed % (2 * (kValueBytesMean - kValueBytesMin) + 1);
    value_.assign(from, (mixed >> 16) % (from.size() - bytes), bytes);
    base::store_u64_le(value_.data(), number);
    base::store_u64_le(value_.data() + kCounterOffset, counter);
    return value_;
  }

 private:
  const Bytes random_;
  const Bytes real_;
  Bytes value_;
};

/// The most memory the process had since the last look, sampled 50 times a second.
class MemoryWatch {
 public:
  MemoryWatch() : thread_([this] { watch(); }) {}
  ~MemoryWatch() {
    stop_.store(true);
    thread_.join();
  }
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;
  std::uint64_t take() { return most_.exchange(0); }
  static std::uint64_t now() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }

 private:
  void watch() {
    while (!stop_.load()) {
      most_.store(std::max(most_.load(), now()));
      base::system_clock().sleep_ms(20);
    }
  }

  std::atomic<std::uint64_t> most_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Life {
 public:
  Life(const Settings& settings, const Shape& shape, Subject& subject, Table& table)
      : settings_(settings),
        shape_(shape),
        subject_(subject),
        table_(table),
        values_(settings.text) {}

  void run() {
    own_bytes_ = MemoryWatch::now();
    subject_.renew();
    step("load", [&] { write(1, 0); });
    step("read all", [&] { read(0); });
    step("rewrite a fifth", [&] { write(kRewrittenOneIn, 1); });
    step("read all again", [&] { read(1); });
    const ScratchFolder folder(settings_.folder);
    const std::string checkpoint = folder.path() + "/checkpoint";
    auto* persistence = engine().as<Persistence>();
    if (persistence != nullptr) {
      step("checkpoint", [&] { must(persistence->checkpoint(checkpoint)); });
      step("read all after it", [&] { read(1); });
    }
    step("stop and start", [&] { subject_.reopen(); });
    step("read all after that", [&] { read(1); });
    persistence = engine().as<Persistence>();
    if (persistence != nullptr) {
      step("rewrite another fifth", [&] { write(kRewrittenOneIn, 2); });
      step("restore", [&] { must(persistence->restore(checkpoint)); });
      step("read all as of the checkpoint", [&] { read(1); });
    }
    subject_.close();
  }

 private:
  Engine& engine() { return *subject_.engine(); }

  template <class Work>
  void step(const std::string& name, Work work) {
    watch_.take();
    const std::int64_t start_ns = base::system_clock().monotonic_ns();
    work();
    table_.add(name, "seconds", seconds_since(start_ns));
    table_.add(name, "MiB resident at most", static_cast<double>(watch_.take()) / kMiB);
    table_.add(name, "of them the benchmark's", static_cast<double>(own_bytes_) / kMiB);
  }

  void write(std::uint64_t one_in, std::uint64_t counter) {
    WriteBatch batch;
    for (std::uint64_t i = 0; i < shape_.records; i += one_in) {
      batch.put(Key(i).ref(), values_.make(i, counter));
      if (batch.effects().size() < kPutTogether && i + one_in < shape_.records) continue;
      must(engine().commit(batch));
      batch.clear();
    }
    const std::uint64_t count = must(engine().count(kSpace));
    const bool exact = engine().as<Ordered>() != nullptr;
    if (exact && count != shape_.records) give_up(fmt::format("it counts {} records", count));
  }

  void read(std::uint64_t rewritten) {
    std::vector<Key> keys(kReadTogether);
    std::vector<Read> reads(kReadTogether);
    for (std::uint64_t first = 0; first < shape_.records; first += kReadTogether) {
      const std::uint64_t count = std::min<std::uint64_t>(kReadTogether, shape_.records - first);
      for (std::uint64_t i = 0; i < count; ++i) {
        keys[i].set(first + i);
        reads[i].key = keys[i].ref();
      }
      must(engine().mget(std::span(reads).first(count)));
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t number = first + i;
        const std::uint64_t counter = number % kRewrittenOneIn == 0 ? rewritten : 0;
        if (!reads[i].info || reads[i].value.view() != values_.make(number, counter)) {
          give_up(fmt::format("record {} is not what it was", number));
        }
      }
    }
  }

  static constexpr double kMiB = 1024 * 1024;
  const Settings& settings_;
  const Shape& shape_;
  Subject& subject_;
  Table& table_;
  LifeValues values_;
  std::uint64_t own_bytes_ = 0;
  MemoryWatch watch_;
};

}  // namespace

void run_life(const Settings& settings) {
  Shape shape{.records = settings.records,
              .value_bytes = kValueBytesMean,
              .on_disk = true,
              .load_batch = 1};
  shape.memory_bytes =
      settings.memory_bytes != 0
          ? settings.memory_bytes
          : std::max<std::uint64_t>(shape.data_bytes() / 10, std::uint64_t{64} << 20);
  fmt::print("## A life: {} keys of 8 bytes, values of 16 to 2,032; data {}, memory {}\n\n",
             shape.records, base::human_size(shape.data_bytes()),
             base::human_size(shape.memory_bytes));
  fmt::print("- values: {}\n", settings.text.empty()
                                   ? "random bytes"
                                   : "half cut from " + settings.text + ", half random bytes");
  for (const std::unique_ptr<Subject>& subject : make_subjects(settings, shape, Kinds::engines)) {
    fmt::print("\n### {}\n\n", subject->name());
    Table table("step");
    Life(settings, shape, *subject, table).run();
    table.print();
  }
}

}  // namespace strata::bench
