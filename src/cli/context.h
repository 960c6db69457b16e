// Context: what every subcommand has: where the store is, how to speak, and how it all ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "stack/config.h"
#include "stack/gather.h"
#include "strata/strata.h"

namespace strata::cli {

/// What the flags common to all subcommands said; empty: nothing.
struct Common {
  std::string data;
  std::string config;
  std::string backend;
  std::string durability;
  std::string memory;
  bool json = false;
  bool read_only = false;
};

class Context {
 public:
  Common common;

  /// From all sources (docs/guide/configuration.md).
  Result<Config> configuration(const Registry& registry) const;
  /// Opens the store; an error sets what status it means. `create`: made if it is not there.
  Result<std::unique_ptr<Store>> open_store(bool create);
  /// Whether there is a store to open; one that is damaged counts.
  Result<bool> store_is_there() const;
  /// The status of an error that ended a command.
  ExitCode status_of(const Error& error) const;

 private:
  bool no_store_ = false;
  bool too_new_ = false;
};

/// The keyspace of a name, made if the store may be written; nothing where it may not and there
/// is none.
Result<std::optional<Keyspace>> keyspace_of(Store& store, const std::string& name, bool make);

}  // namespace strata::cli
