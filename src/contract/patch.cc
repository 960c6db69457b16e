// Patches: lengths first, then one allocation and at most four copies.
#include "contract/patch.h"

#include <algorithm>
#include <string>

namespace strata::contract {

namespace {

/// Where a patch of a value of `before` bytes begins and how much really goes.
struct Place {
  std::uint64_t offset;
  std::uint64_t erase;
};

Place place_of(std::uint64_t before, const Patch& patch) {
  const std::uint64_t offset = patch.offset == WriteBatch::kAtEnd ? before : patch.offset;
  const std::uint64_t behind = offset < before ? before - offset : 0;
  return {offset, std::min(patch.erase, behind)};
}

}  // namespace

Result<std::uint64_t> patched_bytes(std::uint64_t before, const Patch& patch,
                                    std::uint64_t value_bytes_max) {
  const Place place = place_of(before, patch);
  // Each is compared alone before they are added, so that no sum can overflow.
  if (place.offset <= value_bytes_max && patch.bytes.size() <= value_bytes_max &&
      before <= value_bytes_max) {
    const std::uint64_t after = std::max(before, place.offset) - place.erase + patch.bytes.size();
    if (after <= value_bytes_max) return after;
  }
  return Error(Code::invalid_argument,
               "a patch of " + std::to_string(patch.bytes.size()) + " bytes at offset " +
                   std::to_string(place.offset) + " of a value of " + std::to_string(before) +
                   " bytes: a value has at most " + std::to_string(value_bytes_max) + " bytes");
}

Result<Bytes> apply_patch(BytesView before, const Patch& patch, std::uint64_t value_bytes_max) {
  STRATA_LET(const std::uint64_t length, patched_bytes(before.size(), patch, value_bytes_max));
  const Place place = place_of(before.size(), patch);
  Bytes after;
  after.reserve(length);
  after.append(before.substr(0, place.offset));
  after.resize(place.offset, '\0');
  after.append(patch.bytes);
  if (place.offset < before.size()) after.append(before.substr(place.offset + place.erase));
  return after;
}

}  // namespace strata::contract
