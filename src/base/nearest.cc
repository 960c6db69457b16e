// Edit distance over three rows; names are short, and longer ones are not looked at.
#include "base/nearest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace strata::base {
namespace {

constexpr std::size_t kNameBytesMax = 64;
using Row = std::array<std::size_t, kNameBytesMax + 1>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::size_t distance(std::string_view a, std::string_view b) {
  Row before{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> known) {
  std::optional<std::string_view> best;
  if (name.size() > kNameBytesMax) return best;
  std::size_t best_distance = kNameBytesMax;
  for (const std::string_view candidate : known) {
    if (candidate.size() > kNameBytesMax) continue;
    const std::size_t n = distance(name, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, candidate.size() / 3);
    if (n <= allowed && n < best_distance) {
      best = candidate;
      best_distance = n;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  const std::optional<std::string_view> best = nearest(name, known);
  return best ? " (did you mean '" + std::string(*best) + "'?)" : std::string();
}

}  // namespace strata::base
