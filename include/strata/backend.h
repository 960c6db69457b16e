// How a backend or a layer makes itself known: its name, its options as data, and a function that
// opens it. The configuration file, `strata config show` and the documents all read the same rows.
//
// To add one: a folder under src/backends/ or src/layers/ that defines its `add_to(Registry&)`, or,
// from outside, a call of Registry::add before strata::open.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strata/engine.h"
#include "strata/export.h"
#include "strata/result.h"
#include "strata/verification.h"

namespace strata {

namespace io {
class FileSystem;
}
namespace base {
class Clock;
}

enum class OptionKind : std::uint8_t {
  text,
  integer,
  bytes,        ///< "4GiB", or a plain number of bytes
  duration_ms,  ///< "1s", "250ms", "24h"
  boolean,
  choice  ///< one of OptionSpec::choices
};

/// One option: a row of data.
struct OptionSpec {
  std::string_view name;
  OptionKind kind = OptionKind::text;
  std::string_view fallback{};  ///< the default, written as in the file
  std::int64_t min = 0;         ///< of integer, bytes and duration_ms
  std::int64_t max = INT64_MAX;
  std::span<const std::string_view> choices{};
  std::string_view help{};  ///< one sentence: what it does, why to change it
  bool secret = false;      ///< never shown
};

/// The options of one backend or layer, checked against their rows; every row has a value.
class STRATA_API OptionValues {
 public:
  /// All defaults.
  explicit OptionValues(std::span<const OptionSpec> specs);
  /// Checks and sets one from its written form; invalid_argument names option, value and range.
  /// An unknown name is an invalid_argument that names the nearest known one.
  Result<> set(std::string_view name, std::string_view written);

  // Asking for a name or a kind that the rows do not have is a bug and aborts.
  const std::string& text(std::string_view name) const;
  std::int64_t number(std::string_view name) const;  ///< integer, bytes, duration_ms
  bool flag(std::string_view name) const;
  std::span<const OptionSpec> specs() const noexcept { return specs_; }
  /// As written, or the default as written.
  const std::string& written(std::string_view name) const;

 private:
  struct Slot {
    std::string written;
    std::int64_t number = 0;
  };
  const OptionSpec& spec(std::string_view name) const;
  std::span<const OptionSpec> specs_;
  std::map<std::string, Slot, std::less<>> slots_;
};

/// What an engine is opened with beside its own options. All of it outlives the engine.
struct Environment {
  io::FileSystem& files;
  base::Clock& clock;
  std::string folder;  ///< the engine's own, made by whoever opens it; empty: nothing persists
  bool read_only = false;
  bool create = true;  ///< false: a store that is not there is an error
  Durability durability = Durability::interval;
  std::int64_t interval_ms = 1000;  ///< of Durability::interval
  std::uint64_t memory_bytes = 0;   ///< budget for caches and buffers; 0: the engine's choice
};

struct BackendSpec {
  std::string_view name;
  std::string_view help;
  std::span<const OptionSpec> options;
  Result<std::unique_ptr<Engine>> (*open)(const OptionValues& options,
                                          const Environment& environment);
  /// Reads and checks every page, with nothing opened and nothing changed, beside whoever has the
  /// store open. Null: verifying reads every record through an engine.
  Result<> (*verify)(const Environment& environment, Verification& to,
                     VerifyProgress progress) = nullptr;
};

struct LayerSpec {
  std::string_view name;
  std::string_view help;
  std::span<const OptionSpec> options;
  Result<std::unique_ptr<Engine>> (*wrap)(std::unique_ptr<Engine> below,
                                          const OptionValues& options,
                                          const Environment& environment);
};

/// The backends and layers a configuration may name.
class STRATA_API Registry {
 public:
  /// What this library was built with.
  static Registry builtin();
  /// A name that is taken is an invalid_argument.
  Result<> add(const BackendSpec& backend);
  Result<> add(const LayerSpec& layer);
  const BackendSpec* backend(std::string_view name) const;
  const LayerSpec* layer(std::string_view name) const;
  std::span<const BackendSpec> backends() const noexcept { return backends_; }
  std::span<const LayerSpec> layers() const noexcept { return layers_; }

 private:
  std::vector<BackendSpec> backends_;
  std::vector<LayerSpec> layers_;
};

}  // namespace strata
