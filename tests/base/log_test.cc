// Lines in both formats, hostile bytes, levels, sinks; run under the thread sanitizer.
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "base/log_line.h"
#include "base/mutex.h"
#include "base/thread.h"

namespace strata::base::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Collects lines at a fixed time, and leaves no sink behind.
class Lines {
 public:
  Lines() {
    set_clock(clock_);
    set_sink([this](Level level, std::string_view line) {
      const MutexLock lock(mutex_);
      levels.push_back(level);
      lines.emplace_back(line);
    });
  }
  ~Lines() {
    set_sink_none();
    set_level(Level::info);
    set_format(Format::text);
    set_clock(system_clock());
  }

  std::vector<Level> levels;
  std::vector<std::string> lines;

 private:
  SimClock clock_{1'767'323'045'678};
  Mutex mutex_;
};

TEST(Log, WritesOneLineAnEvent) {
  Lines log;
  info("server", "listening", {{"address", "127.0.0.1:6379"}, {"clients", 10'000}});
  warning("W0101", "stack", "free space is low", {{"free", "1.0 GiB"}, {"ratio", 0.25}});
  error("io", "write failed", {{"retry", false}, {"offset", std::uint64_t{7}}, {"delta", -3}});
  EXPECT_THAT(
      log.lines,
      ElementsAre(
          "2026-01-02T03:04:05.678Z INFO  server: listening address=127.0.0.1:6379 clients=10000",
          "2026-01-02T03:04:05.678Z WARN  stack: free space is low id=W0101 free=\"1.0 GiB\" "
          "ratio=0.25",
          "2026-01-02T03:04:05.678Z ERROR io: write failed retry=false offset=7 delta=-3"));
  EXPECT_THAT(log.levels, ElementsAre(Level::info, Level::warning, Level::error));
}

TEST(Log, WritesJsonWhenAsked) {
  Lines log;
  set_format(Format::json);
  warning("W0101", "server", "say \"hi\"",
          {{"n", 1},
           {"ok", true},
           {"text", "a\nb"},
           {"none", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_THAT(
      log.lines,
      ElementsAre("{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warning\","
                  "\"component\":\"server\",\"message\":\"say \\\"hi\\\"\",\"id\":\"W0101\","
                  "\"n\":1,\"ok\":true,\"text\":\"a\\u000ab\",\"none\":null}"));
}

TEST(Log, NoBytesFromOutsideCanForgeALine) {
  Lines log;
  const std::string hostile("x\n2026-01-01 ERROR forged\x1b[2J\"\0\xff", 33);
  info("server", hostile, {{"key", hostile}});
  set_format(Format::json);
  info("server", hostile, {{"key", hostile}});
  for (const std::string& line : log.lines) {
    for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
  }
  EXPECT_THAT(log.lines[1], HasSubstr("\\u00ff"));
}

TEST(Log, JsonKeepsUtf8AndEscapesWhatIsNone) {
  const auto text = [](std::string_view value) {
    return json_line({.wall_ms = 0,
                      .level = Level::info,
                      .id = {},
                      .component = "c",
                      .message = value,
                      .fields = {}});
  };
  EXPECT_THAT(text("Grüße 漢字 🎉"), HasSubstr("Grüße 漢字 🎉"));
  EXPECT_THAT(text("\xc0\x80"), HasSubstr("\\u00c0\\u0080"));          // overlong
  EXPECT_THAT(text("\xed\xa0\x80"), HasSubstr("\\u00ed\\u00a0"));      // half a surrogate
  EXPECT_THAT(text("\xf4\x90\x80\x80"), HasSubstr("\\u00f4\\u0090"));  // beyond the last
  EXPECT_THAT(text("\xe2\x82"), HasSubstr("\\u00e2\\u0082"));          // cut short
}

TEST(Log, LongTextIsCut) {
  Lines log;
  info("server", std::string(1'000'000, 'm'), {{"key", std::string(1'000'000, 'v')}});
  EXPECT_LT(log.lines[0].size(), 2'200U);
  EXPECT_THAT(log.lines[0], HasSubstr("...(1000000 bytes)"));
}

TEST(Log, DropsWhatLiesBelowTheLevel) {
  Lines log;
  debug("a", "below the default");
  set_level(Level::error);
  EXPECT_FALSE(enabled(Level::warning));
  warning("W0001", "a", "below");
  error("a", "shown");
  set_level(Level::debug);
  debug("a", "shown too");
  set_level(Level::off);
  error("a", "nothing is shown");
  EXPECT_EQ(log.lines.size(), 2U);
}

TEST(Log, SaysNothingWithoutASink) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  error("a", "nobody asked");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_FALSE(enabled(Level::error));
}

TEST(Log, StderrHasNoColourAndNoPrefixInAPlainFile) {
  testing::internal::CaptureStderr();
  set_sink_stderr();
  error("a", "shown");
  set_sink_none();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, testing::EndsWith("Z ERROR a: shown\n"));
  EXPECT_THAT(text, StartsWith("20"));
}

TEST(Log, StderrHasThePrefixWhereTheJournalListens) {
  testing::internal::CaptureStderr();
  struct stat info{};
  ASSERT_EQ(::fstat(STDERR_FILENO, &info), 0);
  const std::string stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
  set_sink_stderr();
  warning("W0001", "a", "shown");
  ::setenv("JOURNAL_STREAM", "1:1", 1);
  set_sink_stderr();
  warning("W0001", "a", "elsewhere");
  set_sink_none();
  ::unsetenv("JOURNAL_STREAM");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, StartsWith("<4>20"));
  EXPECT_THAT(text, HasSubstr("\n20"));
}

TEST(Log, TimesAreRfc3339InUtc) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(951'782'400'001), "2000-02-29T00:00:00.001Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  Lines log;
  {
    std::vector<Thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.push_back(*Thread::start("logging", [] {
        for (int i = 0; i < 100; ++i) info("thread", "line", {{"i", i}});
      }));
    }
    for (int i = 0; i < 20; ++i) {
      set_level(i % 2 == 0 ? Level::debug : Level::info);
      set_format(Format::text);
    }
  }
  EXPECT_EQ(log.lines.size(), 300U);
  for (const std::string& line : log.lines) EXPECT_THAT(line, HasSubstr("thread: line i="));
}

}  // namespace
}  // namespace strata::base::log
