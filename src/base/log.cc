// Where lines go. The one file that sees spdlog, which brings the sinks: whole lines from many
// threads, and colours on terminals that have them.
#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/log_line.h"
#include "base/mutex.h"

namespace strata::base::log {
namespace {

struct State {
  Mutex mutex;
  std::shared_ptr<spdlog::logger> logger STRATA_GUARDED_BY(mutex);
  bool journal STRATA_GUARDED_BY(mutex) = false;

  // All relaxed: each is a setting of its own and a line may still use the one before.
  std::atomic<Level> level{Level::info};
  std::atomic<Level> effective{Level::off};  // off without a sink
  std::atomic<Format> format{Format::text};
  std::atomic<const Clock*> clock{&system_clock()};
};

State& state() {
  // Never destroyed: threads and destructors of globals may log to the very end.
  static State& the_state = *new State();
  return the_state;
}

/// Writes the line as it is, and says where the level stands so that it alone is coloured.
class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(bool colour) : colour_(colour) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    to.append(message.payload.data(), message.payload.data() + message.payload.size());
    to.push_back('\n');
    if (!colour_ || message.payload.size() < kLevelFirst + 5 || message.payload[0] == '{') return;
    message.color_range_start = kLevelFirst;
    message.color_range_end = kLevelFirst + 5;
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(colour_);
  }

 private:
  bool colour_;
};

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(LineSink sink) : sink_(std::move(sink)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto level = message.level == spdlog::level::err    ? Level::error
                       : message.level == spdlog::level::warn ? Level::warning
                       : message.level == spdlog::level::info ? Level::info
                                                              : Level::debug;
    sink_(level, std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  LineSink sink_;
};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

/// syslog's numbers, which the journal takes off the front of a line.
const char* journal_prefix(Level level) {
  switch (level) {
    case Level::debug:
      return "<7>";
    case Level::info:
      return "<6>";
    case Level::warning:
      return "<4>";
    default:
      return "<3>";
  }
}

/// systemd names the stream that it reads by device and inode: standard error may have been sent
/// elsewhere since.
bool journal_listens() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat info{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

void use(spdlog::sink_ptr sink, bool journal) {
  std::shared_ptr<spdlog::logger> logger;
  if (sink != nullptr) {
    logger = std::make_shared<spdlog::logger>("strata", std::move(sink));
    logger->set_level(spdlog::level::trace);  // levels are ours to judge
    logger->flush_on(spdlog::level::trace);
    // A log that cannot be written must not bring down or interrupt what it reports on.
    logger->set_error_handler([](const std::string&) {});
  }
  State& all = state();
  const MutexLock lock(all.mutex);
  all.logger = std::move(logger);
  all.journal = journal;
  all.effective.store(
      all.logger == nullptr ? Level::off : all.level.load(std::memory_order_relaxed),
      std::memory_order_relaxed);
}

void write(Event event) {
  if (!enabled(event.level)) return;
  State& all = state();
  event.wall_ms = all.clock.load(std::memory_order_relaxed)->wall_ms();
  const bool json = all.format.load(std::memory_order_relaxed) == Format::json;
  std::string line = json ? json_line(event) : text_line(event);
  std::shared_ptr<spdlog::logger> logger;
  {
    const MutexLock lock(all.mutex);
    logger = all.logger;
    if (all.journal) line.insert(0, journal_prefix(event.level));
  }
  if (logger != nullptr) logger->log(spdlog_level(event.level), spdlog::string_view_t(line));
}

}  // namespace

void debug(std::string_view component, std::string_view message, Fields fields) {
  write({.level = Level::debug,
         .id = {},
         .component = component,
         .message = message,
         .fields = fields});
}

void info(std::string_view component, std::string_view message, Fields fields) {
  write({.level = Level::info,
         .id = {},
         .component = component,
         .message = message,
         .fields = fields});
}

void warning(std::string_view id, std::string_view component, std::string_view message,
             Fields fields) {
  write({.level = Level::warning,
         .id = id,
         .component = component,
         .message = message,
         .fields = fields});
}

void error(std::string_view component, std::string_view message, Fields fields) {
  write({.level = Level::error,
         .id = {},
         .component = component,
         .message = message,
         .fields = fields});
}

bool enabled(Level level) noexcept {
  return level != Level::off && level >= state().effective.load(std::memory_order_relaxed);
}

void set_sink_none() { use(nullptr, false); }

void set_sink_stderr() {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  const bool journal = journal_listens();
  sink->set_formatter(std::make_unique<LineFormatter>(!journal));
  use(std::move(sink), journal);
}

void set_sink(LineSink sink) { use(std::make_shared<FunctionSink>(std::move(sink)), false); }

void set_level(Level level) noexcept {
  State& all = state();
  const MutexLock lock(all.mutex);
  all.level.store(level, std::memory_order_relaxed);
  if (all.logger != nullptr) all.effective.store(level, std::memory_order_relaxed);
}

void set_format(Format format) noexcept { state().format.store(format, std::memory_order_relaxed); }

void set_clock(const Clock& clock) noexcept {
  state().clock.store(&clock, std::memory_order_relaxed);
}

}  // namespace strata::base::log
