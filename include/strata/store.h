// Store: an opened stack of engines, and the keyspaces in it by name.
//
//   auto store = strata::open("data");                 // default backend, made if absent
//   STRATA_LET(const auto config, strata::Config::load("strata.toml"));
//   auto store = strata::open(config);
//
// Opening takes the folder's lock (a second process is refused with Code::busy and told the pid),
// handles no signal and prints nothing. The default backend has one thread of its own (its option
// `upkeep_thread`).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "strata/backend.h"
#include "strata/engine.h"
#include "strata/export.h"
#include "strata/result.h"

namespace strata {

struct OpenOptions {
  bool read_only = false;  ///< no write, no lock that keeps other readers out; must exist
  bool create = true;      ///< false: a store that is not there is an error
  Durability durability = Durability::store_default;
  std::uint64_t memory_bytes = 0;  ///< budget; 0: the store chooses
  std::string_view backend;        ///< of a new store; empty: the default one
};

/// A checked configuration (docs/guide/configuration.md).
class STRATA_API Config {
 public:
  /// From TOML text; `name` stands in error messages. Errors name line, column and nearest name.
  static Result<Config> parse(std::string_view toml, std::string_view name,
                              const Registry& registry = Registry::builtin());
  static Result<Config> load(const std::string& path,
                             const Registry& registry = Registry::builtin());
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  ~Config();

  struct State;
  const State& state() const noexcept { return *state_; }

 private:
  explicit Config(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Threads: any, but close() and the destructor.
class STRATA_API Store {
 public:
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// The top of the stack. Valid until close().
  Engine& engine() noexcept;
  /// The keyspace of a name (1 to 200 bytes), made at its first use. "db0" is the one that the
  /// short forms below and the server's database 0 use.
  Result<Keyspace> keyspace(std::string_view name);
  const std::string& folder() const noexcept;
  /// Reports what the destructor could not.
  Result<> close();

  // Short forms in the keyspace "db0".
  Result<std::optional<Bytes>> get(BytesView key);
  Result<std::optional<RecordInfo>> get(BytesView key, Value& value);
  Result<Version> put(BytesView key, BytesView value,
                      const RecordAttributes& attributes = kPlainAttributes);
  Result<Version> remove(BytesView key);
  Result<bool> exists(BytesView key);

  struct State;
  explicit Store(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

/// Opens the store in a folder: with the strata.toml or the backend it was made with, else as
/// `options` say.
STRATA_API Result<std::unique_ptr<Store>> open(const std::string& folder,
                                               const OpenOptions& options = {});
/// Opens what a configuration describes. The registry must be the one it was checked against.
STRATA_API Result<std::unique_ptr<Store>> open(const Config& config,
                                               const OpenOptions& options = {},
                                               const Registry& registry = Registry::builtin());

/// Reads all that was written down of the store that `config` describes, and checks it: every page,
/// or where its backend has no way of its own every record. Changes nothing and takes no lock: it
/// may run beside the process that has the store open. Damage is no error but an answer.
STRATA_API Result<Verification> verify(const Config& config, VerifyProgress progress,
                                       const Registry& registry = Registry::builtin());

}  // namespace strata
