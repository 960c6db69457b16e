// The log: one line an event, for people or for machines; none at all unless somebody asks.
//
//   2026-01-02T03:04:05.678Z INFO  server: listening address=127.0.0.1:6379 clients=10000
//   {"time":"2026-01-02T03:04:05.678Z","level":"info","component":"server","message":"listening",...}
//
// A program that embeds Strata gets no output before it sets a sink. Bytes from outside may stand
// in messages and fields: they are escaped and cut, so that no line can be forged. Secrets may not.
//
// Threads: all functions from any; a line is written whole.
// Global:  sink, level, format and clock; with the metric registry the only state of that kind.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace strata::base::log {

enum class Level : unsigned char { debug, info, warning, error, off };
enum class Format : unsigned char { text, json };

/// A field's value. Text is borrowed for the call.
class FieldValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <class T>
  FieldValue(const T& value) : value_(convert(value)) {}  // NOLINT: implicit on purpose
  const Variant& get() const noexcept { return value_; }

 private:
  template <class T>
  static Variant convert(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      return Variant(std::in_place_type<bool>, value);
    } else if constexpr (std::signed_integral<T>) {
      return Variant(std::in_place_type<std::int64_t>, value);
    } else if constexpr (std::unsigned_integral<T>) {
      return Variant(std::in_place_type<std::uint64_t>, value);
    } else if constexpr (std::floating_point<T>) {
      return Variant(std::in_place_type<double>, value);
    } else {
      return Variant(std::in_place_type<std::string_view>, value);
    }
  }

  Variant value_;
};

struct Field {
  std::string_view key;  ///< lower-case words with '_'; not one of the line's own keys
  FieldValue value;
};
using Fields = std::initializer_list<Field>;

/// `component` is the part of Strata that speaks, as one word; `message` a short sentence without
/// numbers or names, which belong in fields.
void debug(std::string_view component, std::string_view message, Fields fields = {});
void info(std::string_view component, std::string_view message, Fields fields = {});
/// `id` ("W0231") is the warning's number for life; users look it up. It is shown as field id.
void warning(std::string_view id, std::string_view component, std::string_view message,
             Fields fields = {});
void error(std::string_view component, std::string_view message, Fields fields = {});

/// Whether lines of this level go anywhere: for work that only a log line needs.
bool enabled(Level level) noexcept;

/// Gets each line without its end, and must neither log nor throw.
using LineSink = std::function<void(Level level, std::string_view line)>;

void set_sink_none();
/// Standard error: the level in colour on a terminal, `<N>` in front where the journal listens.
void set_sink_stderr();
void set_sink(LineSink sink);
/// Lines below are dropped. Info unless set.
void set_level(Level level) noexcept;
void set_format(Format format) noexcept;
/// Where lines get their time. The clock must outlive its use; system_clock() unless set.
void set_clock(const Clock& clock) noexcept;

}  // namespace strata::base::log

namespace strata {
namespace log = base::log;
}  // namespace strata
