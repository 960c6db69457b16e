// Both read queues, over files of the machine: content, ends, errors, threads, what is told and
// when. Then what only the choice between them, or the simulated disk, can show. A kernel that
// refuses io_uring, or the thread sanitizer, leaves one of them, which is then tested twice.
#include "io/read_queue.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "io/sim_file_system.h"
#include "io/system_error.h"
#include "io/temp_folder.h"

namespace strata::io {
namespace {

using testing::HasSubstr;

struct FreeMemory {
  void operator()(char* memory) const noexcept { std::free(memory); }
};

/// Memory that a direct file can read to and write from.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes)
      : memory_(static_cast<char*>(std::aligned_alloc(kDirectBytes, bytes))), bytes_(bytes) {
    STRATA_CHECK(memory_ != nullptr);
    std::memset(memory_.get(), '?', bytes);
  }
  std::span<char> span() const { return {memory_.get(), bytes_}; }
  BytesView view() const { return {memory_.get(), bytes_}; }

 private:
  std::unique_ptr<char, FreeMemory> memory_;
  std::size_t bytes_;
};

/// Counts, and lets wait for the first.
class Told final : public Completion {
 public:
  void complete() noexcept override {
    times_.fetch_add(1, std::memory_order_release);  // read with acquire in times() and wait()
    times_.notify_all();
  }
  int times() const { return times_.load(std::memory_order_acquire); }
  void wait() const { times_.wait(0, std::memory_order_acquire); }

 private:
  std::atomic<int> times_{0};
};

/// A descriptor of any sort as a file; offsets mean nothing to it.
class FdFile final : public File {
 public:
  FdFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~FdFile() override { ::close(fd_); }
  Result<std::size_t> pread(std::uint64_t offset, std::span<char> to) override {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = ::read(fd_, to.data() + done, to.size() - done);
      if (got < 0) return read_error(path_, offset + done, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }
  Result<> pwrite(std::uint64_t, BytesView) override { return refused(); }
  Result<> append(BytesView) override { return refused(); }
  Result<> sync() override { return refused(); }
  Result<> truncate(std::uint64_t) override { return refused(); }
  Result<> allocate(std::uint64_t) override { return refused(); }
  Result<std::uint64_t> size() override { return refused(); }
  Result<> close() override { return refused(); }
  const std::string& path() const noexcept override { return path_; }
  int descriptor() const noexcept override { return fd_; }

 private:
  static Error refused() { return Error(Code::not_supported, "only read"); }
  const int fd_;
  const std::string path_;
};

/// A file whose read waits until somebody writes.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    STRATA_CHECK(::pipe(ends) == 0);
    file = std::make_unique<FdFile>(ends[0], "pipe");
    in_ = ends[1];
  }
  ~Pipe() { ::close(in_); }
  void write(std::string_view text) const {
    STRATA_CHECK(::write(in_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  std::unique_ptr<FdFile> file;

 private:
  int in_;
};

constexpr std::size_t kUnits = 512;
constexpr std::size_t kTailBytes = 1000;  // behind the last whole unit
constexpr std::size_t kFileBytes = kUnits * kDirectBytes + kTailBytes;

class ReadQueueTest : public testing::TestWithParam<bool> {
 protected:
  ReadQueueTest() : content_(kFileBytes, '\0') {
    base::Random random(7);
    random.fill(content_);
    path_ = join_path(folder_.path(), "data");
    const auto file = posix().open(path_, OpenMode::create_new);
    STRATA_CHECK(file && (*file)->append(content_));
    queue_ = make(16);
  }

  static std::unique_ptr<ReadQueue> make(std::size_t depth) {
    auto queue = make_read_queue(posix(), {.depth = depth, .io_uring = GetParam()});
    STRATA_CHECK(queue.has_value());
    return *std::move(queue);
  }
  std::unique_ptr<File> open(OpenMode mode = OpenMode::read) const {
    auto file = posix().open(path_, mode);
    STRATA_CHECK(file.has_value());
    return *std::move(file);
  }
  std::unique_ptr<File> open_direct() const {
    auto file = posix().open_direct(path_, OpenMode::read);
    STRATA_CHECK(file.has_value());
    return *std::move(file);
  }

  /// `count` reads of random whole units of `file` into `buffer`, one after another.
  static std::vector<AsyncRead> random_units(File& file, std::size_t count, std::uint64_t seed,
                                             const Buffer& buffer) {
    base::Random random(seed);
    std::vector<AsyncRead> reads(count);
    for (std::size_t i = 0; i < count; ++i) {
      reads[i].file = &file;
      reads[i].offset = random.uniform(kUnits) * kDirectBytes;
      reads[i].to = buffer.span().subspan(i * kDirectBytes, kDirectBytes);
    }
    return reads;
  }
  void expect_content(const AsyncRead& read) const {
    ASSERT_TRUE(read.result) << read.result.error().to_string();
    const BytesView expected = BytesView(content_).substr(read.offset, read.to.size());
    ASSERT_EQ(*read.result, expected.size()) << "at " << read.offset;
    ASSERT_TRUE(BytesView(read.to.data(), expected.size()) == expected) << "at " << read.offset;
  }

  TempFolder folder_;
  std::string path_;
  Bytes content_;
  std::unique_ptr<ReadQueue> queue_;
};

INSTANTIATE_TEST_SUITE_P(Queues, ReadQueueTest, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "uring" : "threads"; });

TEST_P(ReadQueueTest, ReadsWhatIsThereFromSeveralThreads) {
  const auto direct = open_direct();
  const auto cached = open();
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      constexpr std::size_t kReads = 300;
      const Buffer buffer(kReads * kDirectBytes);
      for (std::uint64_t round = 0; round < 6; ++round) {
        auto reads =
            random_units(round % 2 == 0 ? *direct : *cached, kReads, t * 100 + round, buffer);
        if (round < 4) {
          queue_->read_all(reads);
        } else {
          Told told;
          queue_->start(reads, told);
          told.wait();
        }
        for (const AsyncRead& read : reads) expect_content(read);
        std::memset(buffer.span().data(), '?', buffer.span().size());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ReadQueueTest, GivesWhatThereIsAtTheEndOfTheFile) {
  for (const auto& file : {open_direct(), open()}) {
    const Buffer buffer(6 * kDirectBytes);
    std::vector<AsyncRead> reads(3);
    for (std::size_t i = 0; i < 3; ++i) {
      reads[i].file = file.get();
      reads[i].offset = (kUnits - 1 + i) * kDirectBytes;
      reads[i].to = buffer.span().subspan(2 * i * kDirectBytes, 2 * kDirectBytes);
    }
    const auto expect_all = [&] {
      EXPECT_EQ(reads[0].result.value(), kDirectBytes + kTailBytes);
      EXPECT_EQ(reads[1].result.value(), kTailBytes);
      EXPECT_EQ(reads[2].result.value(), 0U);
      EXPECT_EQ(BytesView(reads[1].to.data(), kTailBytes),
                BytesView(content_).substr(kUnits * kDirectBytes));
      for (AsyncRead& read : reads) read.result = std::size_t{77};
    };
    queue_->read_all(reads);
    expect_all();
    Told told;
    queue_->start(reads, told);
    told.wait();
    expect_all();
    for (AsyncRead& read : reads) queue_->read_all({&read, 1});
    expect_all();
  }
}

TEST_P(ReadQueueTest, AnErrorReachesTheReadThatFailedAndNoOther) {
  const auto good = open();
  FdFile broken(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "broken");
  const Buffer buffer(40 * kDirectBytes);
  auto reads = random_units(*good, 40, 3, buffer);
  reads[17].file = &broken;
  reads[17].offset = 8192;
  const auto expect_all = [&] {
    for (std::size_t i = 0; i < reads.size(); ++i) {
      if (i != 17) expect_content(reads[i]);
    }
    ASSERT_FALSE(reads[17].result);
    EXPECT_EQ(reads[17].result.error().code(), Code::io);
    EXPECT_EQ(reads[17].result.error().to_string(),
              "read at byte 8192 of 'broken': Is a directory");
  };
  queue_->read_all(reads);
  expect_all();
  Told told;
  queue_->start(reads, told);
  told.wait();
  expect_all();
}

TEST_P(ReadQueueTest, AClosedFileIsToldApart) {
  const auto good = open();
  const auto closed = open();
  ASSERT_TRUE(closed->close());
  const Buffer buffer(4 * kDirectBytes);
  auto reads = random_units(*good, 4, 3, buffer);
  reads[2].file = closed.get();
  queue_->read_all(reads);
  for (const std::size_t i : {0U, 1U, 3U}) expect_content(reads[i]);
  ASSERT_FALSE(reads[2].result);
  EXPECT_EQ(reads[2].result.error().code(), Code::closed);
}

TEST_P(ReadQueueTest, GoesOnWhereAReadWasShort) {
  const Pipe pipe;
  Buffer buffer(kDirectBytes);
  AsyncRead read{.file = pipe.file.get(), .offset = 0, .to = buffer.span().first(8)};
  Told told;
  queue_->start({&read, 1}, told);
  pipe.write("abc");
  pipe.write("de");
  EXPECT_EQ(told.times(), 0);  // three bytes are not there yet
  pipe.write("fgh");
  told.wait();
  EXPECT_EQ(read.result.value(), 8U);
  EXPECT_EQ(buffer.view().substr(0, 9), "abcdefgh?");
}

TEST_P(ReadQueueTest, TellsOnceForEachStart) {
  const auto file = open_direct();
  constexpr std::size_t kBatches = 64;
  constexpr std::size_t kReads = 24;  // more than the depth
  const Buffer buffer(kBatches * kReads * kDirectBytes);
  auto reads = random_units(*file, kBatches * kReads, 5, buffer);
  std::vector<Told> told(kBatches);
  Told of_nothing;
  queue_->start({}, of_nothing);
  EXPECT_EQ(of_nothing.times(), 1);
  for (std::size_t b = 0; b < kBatches; ++b) {
    queue_->start(std::span(reads).subspan(b * kReads, kReads), told[b]);
  }
  queue_.reset();
  for (const Told& each : told) EXPECT_EQ(each.times(), 1);
  for (const AsyncRead& read : reads) expect_content(read);
}

TEST_P(ReadQueueTest, MayBeAskedForMoreByWhomItTells) {
  // A chain of starts, each from within complete() of the one before, while the queue ends.
  class Chain final : public Completion {
   public:
    Chain(ReadQueue& queue, std::span<AsyncRead> reads) : queue_(queue), reads_(reads) {}
    void complete() noexcept override {
      if (next_ == reads_.size()) return;
      queue_.start(reads_.subspan(next_++, 1), *this);
    }
    std::size_t started() const { return next_; }

   private:
    ReadQueue& queue_;
    std::span<AsyncRead> reads_;
    std::size_t next_ = 0;
  };
  const auto file = open();
  const auto closed = open();  // without a descriptor: by the other means
  ASSERT_TRUE(closed->close());
  const Buffer buffer(50 * kDirectBytes);
  auto reads = random_units(*file, 50, 5, buffer);
  for (std::size_t i = 0; i < reads.size(); i += 5) reads[i].file = closed.get();
  Chain chain(*queue_, reads);
  chain.complete();
  queue_.reset();
  EXPECT_EQ(chain.started(), 50U);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    if (i % 5 == 0) {
      EXPECT_FALSE(reads[i].result);
    } else {
      expect_content(reads[i]);
    }
  }
}

TEST_P(ReadQueueTest, ItsEndWaitsForWhatIsUnderWay) {
  const Pipe pipe;
  const Buffer buffer(kDirectBytes);
  AsyncRead read{.file = pipe.file.get(), .offset = 0, .to = buffer.span().first(3)};
  Told told;
  queue_->start({&read, 1}, told);
  int told_at_end = 0;
  std::latch ending(1);
  std::thread ender([&] {
    ending.count_down();
    queue_.reset();
    told_at_end = told.times();
  });
  ending.wait();
  EXPECT_EQ(told.times(), 0);
  pipe.write("abc");
  ender.join();
  EXPECT_EQ(told_at_end, 1);
  EXPECT_EQ(read.result.value(), 3U);
}

TEST_P(ReadQueueTest, ReadsOutliveTheThreadThatStartedThem) {
  const Pipe pipe;
  const Buffer buffer(kDirectBytes);
  AsyncRead read{.file = pipe.file.get(), .offset = 0, .to = buffer.span().first(3)};
  Told told;
  std::thread([&] { queue_->start({&read, 1}, told); }).join();
  pipe.write("abc");
  told.wait();
  EXPECT_EQ(read.result.value(), 3U);
  EXPECT_EQ(buffer.view().substr(0, 3), "abc");
}

TEST_P(ReadQueueTest, WorksAtDepthOne) {
  queue_ = make(1);
  const auto file = open_direct();
  const Buffer buffer(20 * kDirectBytes);
  auto reads = random_units(*file, 20, 9, buffer);
  queue_->read_all(reads);
  for (const AsyncRead& read : reads) expect_content(read);
  Told told;
  queue_->start(reads, told);
  told.wait();
  for (const AsyncRead& read : reads) expect_content(read);
}

TEST(ReadQueue, UsesThreadsWhereIoUringIsOffOrTheFilesAreSimulated) {
  base::SimClock clock;
  SimFileSystem sim(1, clock);
  EXPECT_EQ(make_read_queue(posix(), {.io_uring = false}).value()->kind(), "threads");
  EXPECT_EQ(make_read_queue(sim).value()->kind(), "threads");
}

TEST(ReadQueue, RefusesADepthThatIsNone) {
  const auto refused = make_read_queue(posix(), {.depth = 0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::invalid_argument);
  EXPECT_FALSE(make_read_queue(posix(), {.depth = 4097}));
}

TEST(ReadQueue, AnInjectedFaultReachesExactlyOneRead) {
  base::SimClock clock;
  SimFileSystem sim(1, clock);
  const auto queue = make_read_queue(sim).value();
  std::vector<std::unique_ptr<File>> files;
  std::vector<AsyncRead> reads(8);
  std::vector<Bytes> memory(8, Bytes(5, '?'));
  for (std::size_t i = 0; i < 8; ++i) {
    auto file = sim.open("file" + std::to_string(i), OpenMode::create_new);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append("data" + std::to_string(i)));
    files.push_back(*std::move(file));
    reads[i] = {.file = files[i].get(), .offset = 0, .to = memory[i]};
  }
  // By each way in; with one read, with all.
  for (int way = 0; way < 3; ++way) {
    sim.inject({.call = SimCall::read, .path_contains = "file3"});
    Told told;
    if (way == 0) queue->read_all(reads);
    if (way == 1) queue->start(reads, told);
    if (way == 1) told.wait();
    if (way == 2) {
      for (AsyncRead& read : reads) queue->read_all({&read, 1});
    }
    for (std::size_t i = 0; i < 8; ++i) {
      if (i == 3) {
        ASSERT_FALSE(reads[i].result);
        EXPECT_EQ(reads[i].result.error().code(), Code::io);
        EXPECT_THAT(reads[i].result.error().to_string(), HasSubstr("'file3'"));
      } else {
        EXPECT_EQ(reads[i].result.value(), 5U);
        EXPECT_EQ(memory[i], "data" + std::to_string(i));
      }
    }
  }
}

}  // namespace
}  // namespace strata::io
