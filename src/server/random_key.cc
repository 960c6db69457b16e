#include "server/random_key.h"

#include <algorithm>

namespace strata::server {

std::uint64_t RandomKey::below(std::uint64_t bound) {
  const base::MutexLock lock(mutex_);
  return random_.uniform(bound);
}

Fetched<std::optional<Bytes>> RandomKey::operator()(View& view) {
  return ordered_ != nullptr ? from_order(view) : from_beginning(view);
}

// A key between the two: what both begin with, then bytes that lie between theirs.
Bytes RandomKey::between(BytesView first, BytesView last) {
  const auto [a, b] = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
  const auto common = static_cast<std::size_t>(a - first.begin());
  constexpr std::size_t kBytes = 6;
  const auto number_behind = [&](BytesView key) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
      number = number << 8 |
               (common + i < key.size() ? static_cast<unsigned char>(key[common + i]) : 0u);
    }
    return number;
  };
  const std::uint64_t low = number_behind(first);
  const std::uint64_t high = std::max(low, number_behind(last));
  const std::uint64_t number = low + below(high - low + 1);
  Bytes key(first.substr(0, common));
  for (std::size_t i = 0; i < kBytes; ++i) {
    key.push_back(static_cast<char>(number >> (8 * (kBytes - 1 - i)) & 0xFFu));
  }
  return key;
}

Fetched<std::optional<Bytes>> RandomKey::from_order(View& view) {
  ScanOptions options;
  options.keys_only = true;
  options.page_records = 1;
  const auto first_of = [&](const Range& range, bool reverse) -> Fetched<std::optional<Bytes>> {
    options.reverse = reverse;
    ScanPage page;
    do {
      page.clear();
      const Result<> done = ordered_->scan(range, options, page);
      if (!done) return view.fail(done.error());
    } while (page.empty() && page.more());
    return page.empty() ? std::optional<Bytes>() : Bytes(page[0].key);
  };
  Range range = Range::all(view.space());
  STRATA_FETCH(const std::optional<Bytes> first, first_of(range, false));
  STRATA_FETCH(const std::optional<Bytes> last, first_of(range, true));
  if (!first || !last || *first == *last) return first;
  range.begin = between(*first, *last);
  STRATA_FETCH(const std::optional<Bytes> found, first_of(range, false));
  // Behind the last key there is none: that makes the first as likely as it should be.
  return found ? found : first;
}

Fetched<std::optional<Bytes>> RandomKey::from_beginning(View& view) {
  constexpr std::uint32_t kLookedAt = 256;
  CursorOptions options;
  options.count = kLookedAt;
  Bytes cursor;
  ScanPage page;
  do {
    page.clear();
    STRATA_FETCH([[maybe_unused]] const bool scanned,
                 view.scan_some(view.space(), cursor, options, page));
  } while (page.empty() && !cursor.empty());
  if (page.empty()) return std::optional<Bytes>();
  return std::optional<Bytes>(Bytes(page[below(page.size())].key));
}

}  // namespace strata::server
