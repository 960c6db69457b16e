// OptionValues: written forms checked against their rows. What is refused is named, and a secret's
// value never is.
#include "base/check.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "base/quote.h"
#include "strata/backend.h"

namespace strata {

namespace {

std::string shown(const OptionSpec& spec, std::string_view written) {
  return spec.secret ? "(secret)" : base::quote(written);
}

std::string in_unit(const OptionSpec& spec, std::int64_t number) {
  if (spec.kind == OptionKind::bytes) return base::format_size(static_cast<std::uint64_t>(number));
  if (spec.kind == OptionKind::duration_ms) return base::format_duration_ms(number);
  return std::to_string(number);
}

Error refused(const OptionSpec& spec, const std::string& why) {
  return {Code::invalid_argument, std::string(spec.name) + ": " + why};
}

Result<std::int64_t> parse_number(const OptionSpec& spec, std::string_view written) {
  if (spec.kind == OptionKind::bytes) {
    STRATA_LET(const std::uint64_t bytes, base::parse_size(written));
    return static_cast<std::int64_t>(bytes);
  }
  return spec.kind == OptionKind::duration_ms ? base::parse_duration_ms(written)
                                              : base::parse_int64(written);
}

Result<std::int64_t> checked_number(const OptionSpec& spec, std::string_view written) {
  const Result<std::int64_t> number = parse_number(spec, written);
  if (!number) {
    return refused(spec, spec.secret ? "not a number" : number.error().message());
  }
  if (*number >= spec.min && *number <= spec.max) return *number;
  const std::string from = in_unit(spec, spec.min);
  const std::string range =
      spec.max == INT64_MAX ? "at least " + from : from + " to " + in_unit(spec, spec.max);
  return refused(spec, shown(spec, written) + " is out of range: " + range);
}

Result<std::int64_t> checked_flag(const OptionSpec& spec, std::string_view written) {
  if (written == "true") return 1;
  if (written == "false") return 0;
  return refused(spec, shown(spec, written) + " is neither true nor false");
}

Result<std::int64_t> checked_choice(const OptionSpec& spec, std::string_view written) {
  std::string all;
  for (std::size_t i = 0; i < spec.choices.size(); ++i) {
    if (spec.choices[i] == written) return static_cast<std::int64_t>(i);
    if (i > 0) all += ", ";
    all += spec.choices[i];
  }
  return refused(spec, shown(spec, written) + " is none of " + all +
                           base::did_you_mean(written, spec.choices));
}

Result<std::int64_t> checked(const OptionSpec& spec, std::string_view written) {
  switch (spec.kind) {
    case OptionKind::text:
      if (written.find('\0') != std::string_view::npos) {
        return refused(spec, "a NUL byte cannot stand in it");
      }
      return 0;
    case OptionKind::boolean:
      return checked_flag(spec, written);
    case OptionKind::choice:
      return checked_choice(spec, written);
    default:
      return checked_number(spec, written);
  }
}

}  // namespace

OptionValues::OptionValues(std::span<const OptionSpec> specs) : specs_(specs) {
  for (const OptionSpec& row : specs) {
    const Result<> right = set(row.name, row.fallback);
    STRATA_CHECK(right.has_value());
  }
}

Result<> OptionValues::set(std::string_view name, std::string_view written) {
  for (const OptionSpec& row : specs_) {
    if (row.name != name) continue;
    STRATA_LET(const std::int64_t number, checked(row, written));
    slots_.insert_or_assign(std::string(name), Slot{std::string(written), number});
    return {};
  }
  std::vector<std::string_view> known;
  for (const OptionSpec& row : specs_) known.push_back(row.name);
  return Error(Code::invalid_argument,
               "unknown option " + base::quote(name) + base::did_you_mean(name, known));
}

const OptionSpec& OptionValues::spec(std::string_view name) const {
  for (const OptionSpec& row : specs_) {
    if (row.name == name) return row;
  }
  base::check_failed(__FILE__, __LINE__, "an option that the rows do not have");
}

const std::string& OptionValues::text(std::string_view name) const {
  const OptionKind kind = spec(name).kind;
  STRATA_CHECK(kind == OptionKind::text || kind == OptionKind::choice);
  return slots_.find(name)->second.written;
}

std::int64_t OptionValues::number(std::string_view name) const {
  const OptionKind kind = spec(name).kind;
  STRATA_CHECK(kind == OptionKind::integer || kind == OptionKind::bytes ||
               kind == OptionKind::duration_ms);
  return slots_.find(name)->second.number;
}

bool OptionValues::flag(std::string_view name) const {
  STRATA_CHECK(spec(name).kind == OptionKind::boolean);
  return slots_.find(name)->second.number != 0;
}

const std::string& OptionValues::written(std::string_view name) const {
  static_cast<void>(spec(name));
  return slots_.find(name)->second.written;
}

}  // namespace strata
