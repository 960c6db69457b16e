// CommandTable: rows by name, and what follows from rows: dispatch, keys, arity.
//
// Always: names are looked up without regard to case; rows are never removed, so a pointer to one
//         stays valid while the table lives. Built before the server serves, constant afterwards.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "server/command.h"
#include "server/run_times.h"
#include "strata/result.h"

namespace strata::server {

/// A row in the table, with the rows of its subcommands and its statistics.
class Command {
 public:
  explicit Command(const CommandSpec& spec, std::string full_name)
      : spec(spec), full_name(std::move(full_name)) {}
  const CommandSpec spec;
  const std::string full_name;  ///< "config|get", or the name
  std::vector<Command*> subcommands;
  const Command* parent = nullptr;

  /// Whether `arguments` are as many as the row says.
  bool arity_holds(std::size_t arguments) const {
    return spec.arity >= 0 ? arguments == static_cast<std::size_t>(spec.arity)
                           : arguments >= static_cast<std::size_t>(-spec.arity);
  }
  /// The keys among the arguments; false if the row's rules do not fit them.
  bool keys(Arguments arguments, std::vector<KeyAt>& found) const;

  // INFO commandstats; relaxed, for people.
  mutable std::atomic<std::uint64_t> calls{0};
  mutable std::atomic<std::uint64_t> microseconds{0};
  mutable std::atomic<std::uint64_t> rejected{0};
  mutable std::atomic<std::uint64_t> failed{0};
  RunTimes times;
};

class CommandTable {
 public:
  /// A taken name, or a subcommand before its container, is an invalid_argument.
  Result<> add(const CommandSpec& spec);
  Result<> add(std::span<const CommandSpec> specs);

  /// The row of a call, down to the subcommand; null if there is none. `container` is set when the
  /// command exists and its subcommand does not.
  const Command* find(Arguments arguments, const Command** container = nullptr) const;
  /// By full name: "get", "config|get", "CONFIG|Get".
  const Command* find(std::string_view full_name) const;
  /// All rows without subcommands, in the order in which they were added.
  const std::vector<Command*>& commands() const { return top_; }
  /// All rows, containers before their subcommands.
  std::vector<const Command*> rows() const;

 private:
  std::deque<Command> rows_;
  std::vector<Command*> top_;
  std::unordered_map<std::string, Command*> by_name_;
};

/// All rows that this server has.
Result<> add_builtin_commands(CommandTable& table);

}  // namespace strata::server
