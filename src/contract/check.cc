// The checks of check.h; the good path compares numbers and makes no text.
#include "contract/check.h"

#include <array>
#include <string>

namespace strata::contract {

namespace {

constexpr std::array<std::string_view, 4> kDurabilityNames = {"store_default", "none", "interval",
                                                              "commit"};

Error beyond(std::string_view what, std::uint64_t is, std::string_view bound, std::uint64_t limit,
             std::string_view unit) {
  std::string text = "a ";
  text.append(what).append(" of ").append(std::to_string(is)).append(" ").append(unit);
  text.append(": this store takes at ").append(bound).append(" ").append(std::to_string(limit));
  return {Code::invalid_argument, std::move(text)};
}

Result<> check_key(const KeyRef& key, const Limits& limits) {
  if (key.key.size() > limits.key_bytes_max) {
    return beyond("key", key.key.size(), "most", limits.key_bytes_max, "bytes");
  }
  if (key.key.size() < limits.key_bytes_min) {
    return beyond("key", key.key.size(), "least", limits.key_bytes_min, "bytes");
  }
  return {};
}

Result<> check_effect(const Effect& effect, const Limits& limits) {
  // The bounds of a range are no keys: they may be empty, and longer than any key.
  if (effect.kind == EffectKind::delete_range) return {};
  STRATA_TRY(check_key(effect.key, limits));
  if (effect.value.size() > limits.value_bytes_max) {
    return beyond("value", effect.value.size(), "most", limits.value_bytes_max, "bytes");
  }
  const std::size_t extension_bytes = effect.attributes.extension.size();
  if (extension_bytes > kExtensionBytesMax) {
    return beyond("record extension", extension_bytes, "most", kExtensionBytesMax, "bytes");
  }
  return {};
}

}  // namespace

Result<> check_limits(const WriteBatch& batch, const Limits& limits) {
  if (batch.effects().size() > limits.batch_effects_max) {
    return beyond("batch", batch.effects().size(), "most", limits.batch_effects_max, "effects");
  }
  if (batch.bytes() > limits.batch_bytes_max) {
    return beyond("batch", batch.bytes(), "most", limits.batch_bytes_max, "bytes");
  }
  for (const Effect& effect : batch.effects()) STRATA_TRY(check_effect(effect, limits));
  for (const Condition& condition : batch.conditions()) {
    STRATA_TRY(check_key(condition.key, limits));
  }
  return {};
}

Result<> check_durability(Durability asked, const Limits& limits) {
  if (asked <= limits.durability_max) return {};
  return Error(Code::not_supported,
               "durability " + std::string(kDurabilityNames[static_cast<std::size_t>(asked)]) +
                   ": the strongest this store keeps is " +
                   std::string(kDurabilityNames[static_cast<std::size_t>(limits.durability_max)]));
}

}  // namespace strata::contract
