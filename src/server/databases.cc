#include "server/databases.h"

#include <string>

namespace strata::server {
namespace {

std::string name_of(int database) { return "db" + std::to_string(database); }

}  // namespace

Result<std::unique_ptr<Databases>> Databases::open(Engine& engine, int count) {
  std::unique_ptr<Databases> databases(new Databases(engine, count));
  STRATA_TRY(databases->reload());
  return databases;
}

Result<> Databases::reload() {
  for (int database = 0; database < count(); ++database) {
    STRATA_LET(const Keyspace space, keyspaces_.find_or_make(name_of(database)));
    spaces_[static_cast<std::size_t>(database)].store(static_cast<std::uint32_t>(space),
                                                      std::memory_order_relaxed);
  }
  return {};
}

Result<> Databases::renew(std::span<const int> databases) {
  std::vector<std::string> names;
  names.reserve(databases.size());
  for (const int database : databases) names.push_back(name_of(database));
  STRATA_TRY(keyspaces_.renew(names));
  return reload();
}

Result<> Databases::swap(int one, int other) {
  STRATA_TRY(keyspaces_.swap(name_of(one), name_of(other)));
  return reload();
}

}  // namespace strata::server
