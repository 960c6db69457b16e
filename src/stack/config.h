// ConfigBuilder: a configuration put together from its sources, each stronger than the one before:
// built-in defaults, a file, the environment, flags.
//
// Always: every value is checked against its row when it is set, and an error names where it was
//         written: file, line and column, variable, or flag. Rows outlive what is built.
// Threads: one at a time; what is built never changes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "strata/backend.h"
#include "strata/store.h"

namespace strata::stack {

struct TomlEntry;

/// The backend of a new store that nobody chose one for.
inline constexpr std::string_view kDefaultBackend = "hybridlog";

enum class Origin : std::uint8_t { builtin, file, environment, flag };

/// Where a value was written: "strata.toml:3:1", "STRATA__SERVER__PORT", "--port"; "default".
struct Source {
  Origin origin = Origin::builtin;
  std::string place = "default";
};

/// One table of the file: its rows, their values, and where those that were set came from.
struct Section {
  OptionValues values;
  std::map<std::string, Source, std::less<>> sources;

  bool is_set(std::string_view name) const { return sources.contains(name); }
};

/// A value that is handed on as it was written.
struct Parameter {
  std::string name;
  std::string value;
  std::string place;
};

/// One row of `config show`.
struct ShownValue {
  std::string section;
  std::string name;
  std::string value;  ///< "(secret)" for a secret that is set
  Source source;
};

}  // namespace strata::stack

namespace strata {

/// Tables by their names: "storage", "backend.<backend>", "layer.<layer>", "server".
struct Config::State {
  std::map<std::string, stack::Section, std::less<>> sections;
  /// Table "redis": the server's parameters under Redis's names, which only the server can check.
  std::vector<stack::Parameter> parameters;

  const stack::Section& section(std::string_view name) const;
  /// The layers of the stack, the topmost first.
  std::vector<std::string> layers() const;
  /// What is in effect: the tables of the chosen backend and layers, storage and server.
  std::vector<stack::ShownValue> show() const;

  static Config wrap(State state);
};

namespace stack {

class ConfigBuilder {
 public:
  /// The registry is borrowed until build().
  explicit ConfigBuilder(const Registry& registry);

  Result<> add_toml(std::string_view text, std::string_view name);
  /// A file that is not there is an error.
  Result<> add_file(io::FileSystem& files, const std::string& path);
  /// Variables STRATA__SECTION__KEY=value; `environment` ends with null, as environ does.
  Result<> add_environment(const char* const* environment);
  /// One value by section and name.
  Result<> set(std::string_view section, std::string_view name, std::string_view written,
               Source source);
  /// Checks what no value says alone: that backend and layers exist.
  Result<Config> build() &&;

 private:
  Result<> add_entry(const TomlEntry& entry, const std::string& where);
  Result<> add_parameter(const TomlEntry& entry, const std::string& where);
  Result<> add_variable(std::string_view name, std::string_view value);
  Result<> check_backend() const;
  Result<> check_layers() const;
  Error unknown_section(std::string_view name) const;
  const Registry& registry_;
  Config::State state_;
};

/// "a, b" or "a,b" as its items.
std::vector<std::string> split_list(std::string_view text);

}  // namespace stack
}  // namespace strata
