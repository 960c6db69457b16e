#include "backends/hybridlog/batch_in_place.h"

#include <algorithm>
#include <array>

#include "backends/hybridlog/record.h"
#include "base/check.h"
#include "base/thread_lease.h"

namespace strata::backends::hybridlog {

namespace {

struct Put {
  KeyView key;
  HashIndex::Look look;
  char* at;
  RecordHead head;
};

/// The buckets of a batch.
class Holds {
 public:
  Holds() = default;
  ~Holds() {
    for (std::size_t i = 0; i < count_; ++i) holds_[i].release(changed_);
  }
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

  /// False: the bucket is not as it was seen.
  bool take(const HashIndex::Look& look) noexcept {
    if (holds_[count_].take(look)) [[likely]] {
      ++count_;
      return true;
    }
    return std::any_of(holds_.begin(), holds_.begin() + count_,
                       [&](const HashIndex::Hold& each) { return each.is_of(look); });
  }
  void changed() noexcept { changed_ = true; }

 private:
  std::array<HashIndex::Hold, kBatchInPlaceMax> holds_;
  std::size_t count_ = 0;
  bool changed_ = false;
};

bool is_plain_put(const Effect& effect) noexcept {
  return effect.kind == EffectKind::put && effect.value.size() <= kInPlaceBytesMax &&
         are_default(effect.attributes);
}

bool ask(const Parts& parts, std::span<const Effect> effects, std::span<Put> puts) noexcept {
  for (std::size_t i = 0; i < effects.size(); ++i) {
    if (!is_plain_put(effects[i])) return false;
    puts[i].key = KeyView(effects[i].key, parts.seed);
    parts.index->prefetch(puts[i].key.hash());
  }
  const std::uint64_t changeable = parts.log.read_only();
  for (Put& put : puts) {
    put.look = parts.index->look(put.key.hash());
    if (put.look.head.value < changeable) return false;
    put.at = parts.log.at(put.look.head);
    __builtin_prefetch(put.at, 1);
    __builtin_prefetch(put.at + 64, 1);
  }
  return true;
}

bool may_be_changed(const Parts& parts, const Effect& effect, const Put& put) noexcept {
  return put.look.head.value >= parts.log.read_only() &&
         put.head.value_bytes() == effect.value.size() &&
         is_plain_record_of(put.key, parts, put.look.head, put.at, put.head);
}

}  // namespace

Version put_all_in_place(Parts& parts, std::span<const Effect> effects) {
  STRATA_DCHECK(effects.size() <= kBatchInPlaceMax);
  const base::ThreadLease<std::array<Put, kBatchInPlaceMax>> own;
  const std::span<Put> puts = std::span(*own).first(effects.size());
  if (!ask(parts, effects, puts)) return {};

  Holds holds;
  for (const Put& put : puts) {
    if (!holds.take(put.look)) return {};
  }
  std::uint64_t newest = 0;
  std::uint64_t oldest = ~std::uint64_t{0};
  for (std::size_t i = 0; i < puts.size(); ++i) {
    puts[i].head = load_head(puts[i].at);
    if (!may_be_changed(parts, effects[i], puts[i])) return {};
    newest = std::max(newest, puts[i].head.version());
    oldest = std::min(oldest, puts[i].head.version());
  }
  std::uint64_t version = parts.clock.now();
  if (newest >= version) version = parts.clock.raise();
  if (parts.clock.newest_pin_below(version) >= oldest) return {};
  for (std::size_t i = 0; i < puts.size(); ++i) {
    const Put& put = puts[i];
    const BytesView value = effects[i].value;
    store_bytes(put.at + kRecordHeadBytes + put.key.image_bytes(), value.data(), value.size());
    store_word(put.at + 8, (put.head.word1 & ~kVersionMask) | version);
  }
  holds.changed();
  if (!parts.dirty.load(std::memory_order_relaxed)) parts.dirty.store(true);
  return Version{version};
}

}  // namespace strata::backends::hybridlog
