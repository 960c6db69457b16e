#include "server/command_table.h"

#include <algorithm>

#include "server/words.h"

namespace strata::server {
namespace {

// Where a key specification begins among the arguments; nothing: not in this call.
std::optional<std::size_t> begin_of(const KeySpec& spec, Arguments arguments) {
  if (spec.begin == KeyBegin::index) return static_cast<std::size_t>(spec.index);
  if (spec.begin == KeyBegin::unknown) return std::nullopt;
  const auto count = static_cast<int>(arguments.size());
  const bool backward = spec.index < 0;
  const int from = backward ? count + spec.index : spec.index;
  for (int i = from; i > 0 && i < count; i += backward ? -1 : 1) {
    if (is_word(arguments[static_cast<std::size_t>(i)], spec.keyword)) {
      return static_cast<std::size_t>(i) + 1;
    }
  }
  return std::nullopt;
}

bool add_range(const KeySpec& spec, std::size_t first, std::size_t count,
               std::vector<KeyAt>& found) {
  std::size_t last = 0;
  if (spec.last >= 0) {
    last = first + static_cast<std::size_t>(spec.last);
  } else if (spec.limit <= 1) {
    if (count < static_cast<std::size_t>(-spec.last)) return false;
    last = count - static_cast<std::size_t>(-spec.last);
  } else {
    last = first + (count - first) / static_cast<std::size_t>(spec.limit) -
           static_cast<std::size_t>(-spec.last);
  }
  if (first >= count || last >= count || last < first) return false;
  for (std::size_t i = first; i <= last; i += static_cast<std::size_t>(spec.step)) {
    found.push_back({i, spec.flags});
  }
  return true;
}

bool add_counted(const KeySpec& spec, std::size_t begin, Arguments arguments,
                 std::vector<KeyAt>& found) {
  const std::size_t place = begin + static_cast<std::size_t>(spec.keynum_index);
  if (place >= arguments.size()) return false;
  const std::optional<std::int64_t> number = integer_of(arguments[place]);
  const std::size_t first = begin + static_cast<std::size_t>(spec.first_key);
  if (!number || *number <= 0 || first >= arguments.size()) return false;
  const auto keys = static_cast<std::uint64_t>(*number);
  const auto step = static_cast<std::size_t>(spec.step);
  if (keys > (arguments.size() - first + step - 1) / step) return false;
  for (std::uint64_t i = 0; i < keys; ++i) found.push_back({first + i * step, spec.flags});
  return true;
}

}  // namespace

bool Command::keys(Arguments arguments, std::vector<KeyAt>& found) const {
  if (spec.find_keys != nullptr) return spec.find_keys(arguments, found);
  for (const KeySpec& key : spec.keys) {
    const std::optional<std::size_t> begin = begin_of(key, arguments);
    if (!begin) continue;
    const bool fits = key.find == KeyFind::range ? add_range(key, *begin, arguments.size(), found)
                                                 : add_counted(key, *begin, arguments, found);
    if (!fits) return false;
  }
  return true;
}

Result<> CommandTable::add(const CommandSpec& spec) {
  std::string full_name = lower(spec.name);
  Command* parent = nullptr;
  if (!spec.parent.empty()) {
    const auto container = by_name_.find(lower(spec.parent));
    if (container == by_name_.end()) {
      return Error(Code::invalid_argument, "command table: subcommand " + full_name +
                                               " comes before its container " +
                                               std::string(spec.parent));
    }
    parent = container->second;
    full_name = parent->full_name + "|" + full_name;
  }
  if (by_name_.contains(full_name)) {
    return Error(Code::invalid_argument, "command table: " + full_name + " stands in it twice");
  }
  Command& row = rows_.emplace_back(spec, full_name);
  row.parent = parent;
  if (parent != nullptr) {
    parent->subcommands.push_back(&row);
  } else {
    top_.push_back(&row);
  }
  by_name_.emplace(std::move(full_name), &row);
  return {};
}

Result<> CommandTable::add(std::span<const CommandSpec> specs) {
  for (const CommandSpec& spec : specs) STRATA_TRY(add(spec));
  return {};
}

std::vector<const Command*> CommandTable::rows() const {
  std::vector<const Command*> rows;
  for (const Command& row : rows_) rows.push_back(&row);
  return rows;
}

const Command* CommandTable::find(std::string_view full_name) const {
  const auto row = by_name_.find(lower(full_name));
  return row == by_name_.end() ? nullptr : row->second;
}

const Command* CommandTable::find(Arguments arguments, const Command** container) const {
  constexpr std::size_t kNameBytesMax = 64;
  if (arguments[0].size() > kNameBytesMax) return nullptr;
  const Command* command = find(arguments[0]);
  // A bar would reach a subcommand under one name; Redis does not know such a command.
  if (command == nullptr || command->parent != nullptr) return nullptr;
  if (command->subcommands.empty() || arguments.size() < 2) return command;
  for (const Command* subcommand : command->subcommands) {
    if (is_word(arguments[1], subcommand->spec.name)) return subcommand;
  }
  // COMMAND alone and COMMAND X differ; the former has a handler of its own.
  if (container != nullptr) *container = command;
  return nullptr;
}

}  // namespace strata::server
