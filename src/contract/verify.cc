#include "contract/verify.h"

#include "contract/keyspaces.h"
#include "strata/scan.h"

namespace strata {

Result<> Verification::note(const Result<>& found) {
  if (found || found.error().code() != Code::corruption) return found;
  ++damaged;
  if (damage.size() < kShownMax) damage.push_back(found.error().to_string());
  return {};
}

namespace contract {

namespace {

constexpr std::uint32_t kPageRecords = 256;

Result<> verify_keyspace(Engine& engine, Keyspace space, std::uint64_t total, Verification& to,
                         VerifyProgress progress) {
  CursorOptions options;
  options.count = kPageRecords;
  options.keys_only = false;
  Bytes cursor;
  ScanPage page;
  do {
    STRATA_TRY(engine.scan_some(space, cursor, options, page));
    to.records += page.size();
    to.bytes += page.bytes();
    progress(to, total);
  } while (!cursor.empty());
  return {};
}

}  // namespace

Result<> verify_records(Engine& engine, Verification& to, VerifyProgress progress) {
  const std::uint64_t total = engine.stats().bytes_live;
  STRATA_LET(const auto spaces, Keyspaces(engine).list());
  for (const auto& [name, space] : spaces) {
    STRATA_TRY(to.note(verify_keyspace(engine, space, total, to, progress)));
  }
  return {};
}

}  // namespace contract
}  // namespace strata
