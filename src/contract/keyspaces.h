// Keyspaces: the names of a store's keyspaces, kept as one record of the system keyspace.
//
// Always: a name has one number and a number one name; a number is never given twice, so a
//         dropped keyspace can be emptied at leisure; the record changes by compare-and-set, so
//         two Keyspaces objects over one engine cannot contradict each other. Every write has one
//         effect, or needs no batch to be whole, so engines without AtomicBatch are served too.
// Format: docs/formats/keyspaces.md
// Threads: any. Borrows the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "strata/engine.h"

namespace strata {

class Keyspaces {
 public:
  static constexpr std::size_t kNameBytesMax = 200;
  /// Of names, and of dropped keyspaces that wait for sweep(): Code::quota beyond.
  static constexpr std::size_t kCountMax = 65536;

  explicit Keyspaces(Engine& engine) : engine_(engine) {}

  /// The number of a name (1 to 200 bytes), or nothing.
  Result<std::optional<Keyspace>> find(std::string_view name);
  /// The number of a name, given now if it has none.
  Result<Keyspace> find_or_make(std::string_view name);
  /// The names take each other's numbers; both are made if absent.
  Result<> swap(std::string_view one, std::string_view other);
  /// Each name gets a fresh number, as one step; the old ones are emptied by sweep(). Naming one
  /// twice is as naming it once.
  Result<> renew(const std::vector<std::string>& names);
  /// In the order of the names.
  Result<std::vector<std::pair<std::string, Keyspace>>> list();
  /// Removes up to about `records` records of dropped keyspaces; true when there is more to do.
  Result<bool> sweep(std::uint32_t records);

 private:
  class Directory;
  template <class Change>
  Result<> change(Change change);
  Result<Directory> read();
  Result<std::uint32_t> remove_some(Keyspace space, std::uint32_t records);
  Result<> remove_all_of(const ScanPage& page, Keyspace space);
  Engine& engine_;
};

}  // namespace strata
