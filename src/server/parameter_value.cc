#include "server/parameter_value.h"

#include <fmt/format.h>

#include <optional>

#include "server/words.h"

namespace strata::server {
namespace {

Error wrong(std::string why) { return Error(Code::invalid_argument, std::move(why)); }

// "10", "10b", "1k" (1000), "1kb" (1024), up to gb.
std::optional<std::int64_t> memory_of(BytesView text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::string unit = lower(digits == BytesView::npos ? BytesView() : text.substr(digits));
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
      {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
  const std::optional<std::int64_t> number = integer_of(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const auto& [name, factor] : kUnits) {
    std::int64_t bytes = 0;
    if (unit != name) continue;
    if (__builtin_mul_overflow(*number, factor, &bytes)) return std::nullopt;
    return bytes;
  }
  return std::nullopt;
}

std::vector<BytesView> words_of(BytesView text) {
  std::vector<BytesView> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == BytesView::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = text.find(' ');
    words.push_back(text.substr(0, end));
    if (end == BytesView::npos) return words;
    text.remove_prefix(end);
  }
}

Result<std::string> number_in_range(const Parameter& parameter, std::int64_t number) {
  if (number < parameter.min || number > parameter.max) {
    return wrong(
        fmt::format("argument must be between {} and {} inclusive", parameter.min, parameter.max));
  }
  return std::to_string(number);
}

Result<std::string> choice(const Parameter& parameter, BytesView given) {
  std::string all;
  for (const std::string_view known : parameter.choices) {
    if (is_word(given, known)) return std::string(known);
    all += all.empty() ? "" : ", ";
    all += known;
  }
  return wrong("argument(s) must be one of the following: " + all);
}

// Classes of events in the order in which Redis shows them; A stands for all but K, E, m and n.
Result<std::string> events(BytesView given) {
  constexpr std::string_view kAll = "g$lshzxetd";
  constexpr std::string_view kOthers = "KEmn";
  std::string shown;
  for (const char letter : given) {
    if (letter == 'A') {
      shown += kAll;
    } else if (kAll.find(letter) == BytesView::npos && kOthers.find(letter) == BytesView::npos) {
      return wrong("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    } else {
      shown += letter;
    }
  }
  const auto has = [&](char letter) { return shown.find(letter) != std::string::npos; };
  std::string result;
  bool all = true;
  for (const char letter : kAll) all = all && has(letter);
  if (all) {
    result = "A";
  } else {
    for (const char letter : kAll) result += has(letter) ? std::string(1, letter) : "";
  }
  for (const char letter : kOthers) result += has(letter) ? std::string(1, letter) : "";
  return result;
}

std::string shown(const std::vector<OutputClass>& classes) {
  std::string text;
  for (const OutputClass& limit : classes) {
    text += fmt::format("{}{} {} {} {}", text.empty() ? "" : " ", limit.name, limit.hard_bytes,
                        limit.soft_bytes, limit.soft_s);
  }
  return text;
}

Result<std::string> output_limits(BytesView given, BytesView present) {
  const std::vector<BytesView> words = words_of(given);
  if (words.empty() || words.size() % 4 != 0) {
    return wrong("Wrong number of arguments in buffer limit configuration.");
  }
  std::vector<OutputClass> classes = output_classes(present);
  for (std::size_t i = 0; i < words.size(); i += 4) {
    const std::string_view name = is_word(words[i], "replica") ? "slave" : words[i];
    OutputClass* limit = nullptr;
    for (OutputClass& known : classes) {
      if (is_word(name, known.name)) limit = &known;
    }
    if (limit == nullptr) {
      return wrong("Invalid client class specified in buffer limit configuration.");
    }
    const std::optional<std::int64_t> hard = memory_of(words[i + 1]);
    const std::optional<std::int64_t> soft = memory_of(words[i + 2]);
    const std::optional<std::int64_t> seconds = integer_of(words[i + 3]);
    if (!hard || !soft || !seconds || *seconds < 0) {
      return wrong("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    limit->hard_bytes = static_cast<std::uint64_t>(*hard);
    limit->soft_bytes = static_cast<std::uint64_t>(*soft);
    limit->soft_s = *seconds;
  }
  return shown(classes);
}

Result<std::string> save_points(BytesView given) {
  const std::vector<BytesView> words = words_of(given);
  if (words.size() % 2 != 0) return wrong("Invalid save parameters");
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::optional<std::int64_t> number = integer_of(words[i]);
    if (!number || *number < (i % 2 == 0 ? 1 : 0)) return wrong("Invalid save parameters");
    text += fmt::format("{}{}", text.empty() ? "" : " ", *number);
  }
  return text;
}

}  // namespace

std::vector<OutputClass> output_classes(BytesView text) {
  const std::vector<BytesView> words = words_of(text);
  std::vector<OutputClass> classes;
  for (std::size_t i = 0; i + 3 < words.size(); i += 4) {
    classes.push_back({std::string(words[i]),
                       static_cast<std::uint64_t>(integer_of(words[i + 1]).value_or(0)),
                       static_cast<std::uint64_t>(integer_of(words[i + 2]).value_or(0)),
                       integer_of(words[i + 3]).value_or(0)});
  }
  return classes;
}

Result<std::string> normal_value(const Parameter& parameter, BytesView given, BytesView present) {
  switch (parameter.kind) {
    case Parameter::Kind::text:
      return std::string(given);
    case Parameter::Kind::integer: {
      const std::optional<std::int64_t> number = integer_of(given);
      if (!number) return wrong("argument couldn't be parsed into an integer");
      return number_in_range(parameter, *number);
    }
    case Parameter::Kind::memory: {
      const std::optional<std::int64_t> bytes = memory_of(given);
      if (!bytes) return wrong("argument must be a memory value");
      return number_in_range(parameter, *bytes);
    }
    case Parameter::Kind::boolean:
      if (is_word(given, "yes")) return std::string("yes");
      if (is_word(given, "no")) return std::string("no");
      return wrong("argument must be 'yes' or 'no'");
    case Parameter::Kind::choice:
      return choice(parameter, given);
    case Parameter::Kind::events:
      return events(given);
    case Parameter::Kind::output_limits:
      return output_limits(given, present);
    case Parameter::Kind::save:
      return save_points(given);
  }
  return std::string(given);
}

}  // namespace strata::server
