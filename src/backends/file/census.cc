// The mark moves with the clock: each record is stepped over once as it expires.
#include "backends/file/census.h"

#include <algorithm>

#include "base/check.h"
#include "strata/record.h"

namespace strata::backends::file {

void Census::assume(const Totals& totals) {
  const base::MutexLock lock(mutex_);
  STRATA_CHECK(next_leaf_ == 0 && totals.expiring == 0);
  totals_ = totals;
  next_leaf_ = kLeaves;
}

bool Census::complete() const { return next_leaf() == kLeaves; }

unsigned Census::next_leaf() const {
  const base::MutexLock lock(mutex_);
  return next_leaf_;
}

void Census::add_leaf(Leaf leaf, std::span<const std::pair<std::string, Weight>> records) {
  const base::MutexLock lock(mutex_);
  if (leaf < next_leaf_) return;
  for (const auto& [name, weight] : records) add(leaf, name, weight);
  next_leaf_ = leaf + 1u;
}

void Census::skip_to(unsigned leaf) {
  const base::MutexLock lock(mutex_);
  next_leaf_ = std::max(next_leaf_, leaf);
}

void Census::change(Leaf leaf, const std::string& name, const std::optional<Weight>& before,
                    const std::optional<Weight>& after) {
  const base::MutexLock lock(mutex_);
  if (leaf >= next_leaf_) return;
  if (before) {
    --totals_.records;
    totals_.bytes -= before->bytes;
    totals_.blocks -= before->blocks;
    if (before->expires_ms != kNeverExpires) erase({before->expires_ms, leaf, name});
  }
  if (after) add(leaf, name, *after);
}

void Census::add(Leaf leaf, const std::string& name, const Weight& weight) {
  ++totals_.records;
  totals_.bytes += weight.bytes;
  totals_.blocks += weight.blocks;
  if (weight.expires_ms == kNeverExpires) return;
  if (!index_.insert({weight.expires_ms, leaf, name}).second) return;
  ++totals_.expiring;
  if (weight.expires_ms <= mark_ms_) ++expired_;
}

void Census::erase(const Expiring& expiring) {
  if (index_.erase(expiring) == 0) return;
  --totals_.expiring;
  if (expiring.expires_ms <= mark_ms_) --expired_;
}

void Census::move_mark(std::int64_t now_ms) {
  const auto first_after = [this](std::int64_t ms) STRATA_NO_THREAD_SAFETY_ANALYSIS {
    return ms == INT64_MAX ? index_.end() : index_.lower_bound({ms + 1, 0, {}});
  };
  if (now_ms >= mark_ms_) {
    for (auto it = first_after(mark_ms_); it != index_.end() && it->expires_ms <= now_ms; ++it) {
      ++expired_;
    }
  } else {  // somebody set the clock back
    for (auto it = first_after(now_ms); it != index_.end() && it->expires_ms <= mark_ms_; ++it) {
      --expired_;
    }
  }
  mark_ms_ = now_ms;
}

std::uint64_t Census::visible(std::int64_t now_ms) {
  const base::MutexLock lock(mutex_);
  move_mark(now_ms);
  return totals_.records - expired_;
}

Census::Totals Census::totals() const {
  const base::MutexLock lock(mutex_);
  return totals_;
}

std::vector<Census::Expiring> Census::expired(std::int64_t now_ms, std::size_t max) {
  const base::MutexLock lock(mutex_);
  std::vector<Expiring> found;
  for (auto it = index_.begin();
       it != index_.end() && it->expires_ms <= now_ms && found.size() < max; ++it) {
    found.push_back(*it);
  }
  return found;
}

void Census::forget(const Expiring& expiring) {
  const base::MutexLock lock(mutex_);
  erase(expiring);
}

std::uint64_t Census::memory_bytes() const {
  constexpr std::uint64_t kNodeBytes = 128;  // a tree node with a name of common length
  const base::MutexLock lock(mutex_);
  return index_.size() * kNodeBytes;
}

}  // namespace strata::backends::file
