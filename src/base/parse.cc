// Numbers with units. All units stand in two tables, for both ways.
#include "base/parse.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <string_view>
#include <system_error>

#include "base/check.h"
#include "base/quote.h"

namespace strata::base {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first; what divides is looked for in this order.
constexpr std::array<Unit, 9> kSizeUnits{{{"TiB", std::uint64_t{1} << 40},
                                          {"TB", 1'000'000'000'000},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"KB", 1'000},
                                          {"B", 1}}};
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

Error invalid(BytesView text, std::string_view why) {
  return Error(Code::invalid_argument, quote(text) + " " + std::string(why));
}

template <class T>
Result<T> parse_number(BytesView text, std::string_view what) {
  T value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range && stop == end) {
    return invalid(text, "is out of range");
  }
  if (error != std::errc() || stop != end) return invalid(text, what);
  return value;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

/// The digits in front times the unit behind; `bare` is the unit of a number without one, or 0.
template <std::size_t kUnits>
Result<std::uint64_t> parse_with_unit(BytesView text, const std::array<Unit, kUnits>& units,
                                      std::uint64_t bare, std::string_view what) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return invalid(text, what);
  const BytesView name = text.substr(digits);
  std::uint64_t factor = name.empty() ? bare : 0;
  for (const Unit& unit : units) {
    if (same_name(unit.name, name)) factor = unit.factor;
  }
  const auto number = parse_number<std::uint64_t>(text.substr(0, digits), what);
  if (!number) return invalid(text, "is out of range");
  if (factor == 0 && !(name.empty() && *number == 0)) return invalid(text, what);
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (factor != 0 && *number > kMax / factor) return invalid(text, "is out of range");
  return *number * factor;
}

template <std::size_t kUnits>
const Unit& largest_unit(const std::array<Unit, kUnits>& units, std::uint64_t number) {
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) return unit;
  }
  return units.back();
}

template <class... Numbers>
std::string print(const char* format, Numbers... numbers) {
  char text[64];
  const int n = std::snprintf(text, sizeof(text), format, numbers...);
  STRATA_CHECK(n > 0 && static_cast<std::size_t>(n) < sizeof(text));
  return text;
}

}  // namespace

Result<std::int64_t> parse_int64(BytesView text) {
  return parse_number<std::int64_t>(text, "is not a whole number");
}

Result<std::uint64_t> parse_uint64(BytesView text) {
  return parse_number<std::uint64_t>(text, "is not a whole number of zero or more");
}

Result<std::uint64_t> parse_size(BytesView text) {
  return parse_with_unit(text, kSizeUnits, 1, "is not a size such as 1024, 512MB or 4GiB");
}

Result<std::int64_t> parse_duration_ms(BytesView text) {
  STRATA_LET(const std::uint64_t ms,
             parse_with_unit(text, kDurationUnits, 0, "is not a time such as 250ms, 1s or 24h"));
  return static_cast<std::int64_t>(ms);
}

std::string format_size(std::uint64_t bytes) {
  const Unit& unit = largest_unit(kSizeUnits, bytes);
  if (unit.factor == 1) return std::to_string(bytes);
  return std::to_string(bytes / unit.factor) + std::string(unit.name);
}

std::string format_duration_ms(std::int64_t ms) {
  STRATA_DCHECK(ms >= 0);
  const auto number = static_cast<std::uint64_t>(ms);
  const Unit& unit = largest_unit(kDurationUnits, number);
  return std::to_string(number / unit.factor) + std::string(unit.name);
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 7> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (number >= 1023.95 && unit + 1 < kNames.size()) {
    number /= 1024;
    ++unit;
  }
  return print("%.1f %s", number, kNames[unit]);
}

std::string human_duration_ms(std::int64_t ms) {
  if (ms < 1'000) return print("%lld ms", static_cast<long long>(ms));
  if (ms < 59'950) return print("%.1f s", static_cast<double>(ms) / 1000);
  const long long seconds = (ms + 500) / 1000;
  if (seconds < 3'600) return print("%lldm %02llds", seconds / 60, seconds % 60);
  if (seconds < 86'400) return print("%lldh %02lldm", seconds / 3'600, seconds / 60 % 60);
  return print("%lldd %02lldh", seconds / 86'400, seconds / 3'600 % 24);
}

}  // namespace strata::base
