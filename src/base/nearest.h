// nearest(): the known name that somebody who mistyped one probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace strata::base {

/// The name in `known` that takes the fewest single-character changes (a swap of neighbours is
/// one; case counts for nothing), or absent when none is close: more than a third of its length.
std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> known);

/// " (did you mean 'port'?)", or nothing when no known name is close: to end an error with.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace strata::base
