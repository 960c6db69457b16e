// WriteBatch: effects and conditions as vectors, their bytes in an arena of chunks that never move.
#include <algorithm>
#include <cstring>

#include "strata/batch.h"

namespace strata {

// Chunks double in size up to kChunkBytesMax; larger pieces get a chunk of their own, which
// clear() gives back, so that one large value does not stay for the batch's life.
class WriteBatch::Arena {
 public:
  BytesView keep(BytesView bytes) {
    if (bytes.empty()) return {};
    if (bytes.size() > kChunkBytesMax)
      return copy_to(large_.emplace_back(make(bytes.size())), bytes);
    while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < bytes.size()) {
      ++chunk_;
      used_ = 0;
    }
    if (chunk_ == chunks_.size()) {
      const std::size_t grown =
          chunks_.empty() ? kChunkBytesMin : std::min(chunks_.back().size * 2, kChunkBytesMax);
      const std::size_t size = std::max(grown, bytes.size());
      chunks_.push_back({make(size), size});
    }
    char* to = chunks_[chunk_].data.get() + used_;
    std::memcpy(to, bytes.data(), bytes.size());
    used_ += bytes.size();
    return {to, bytes.size()};
  }

  void clear() noexcept {
    large_.clear();
    chunk_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kChunkBytesMin = 1024;
  static constexpr std::size_t kChunkBytesMax = 256 * 1024;
  using Memory = std::unique_ptr<char[]>;
  struct Chunk {
    Memory data;
    std::size_t size;
  };
  static Memory make(std::size_t bytes) { return std::make_unique_for_overwrite<char[]>(bytes); }
  static BytesView copy_to(Memory& memory, BytesView bytes) {
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    return {memory.get(), bytes.size()};
  }

  std::vector<Chunk> chunks_;
  std::vector<Memory> large_;
  std::size_t chunk_ = 0;  // the one being filled
  std::size_t used_ = 0;   // of it
};

WriteBatch::WriteBatch() : arena_(std::make_unique<Arena>()) {}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;

BytesView WriteBatch::keep(BytesView bytes) { return arena_->keep(bytes); }

// In its place, field by field: a copy of what was just written to the stack would wait for the
// processor to have written it.
Effect& WriteBatch::add(EffectKind kind, const KeyRef& key, BytesView value) {
  bytes_ += key.key.size() + value.size();
  const Keyspace space = key.space;
  const BytesView kept = keep(key.key);
  Effect& effect = effects_.emplace_back();
  effect.kind = kind;
  effect.key.space = space;
  effect.key.key = kept;
  effect.value = value;
  return effect;
}

void WriteBatch::put(const KeyRef& key, BytesView value, const RecordAttributes& attributes) {
  Effect& effect = add(EffectKind::put, key, keep(value));
  if (&attributes != &kPlainAttributes) effect.attributes = attributes;
}

void WriteBatch::put_borrowed(const KeyRef& key, BytesView value,
                              const RecordAttributes& attributes) {
  Effect& effect = add(EffectKind::put, key, value);
  if (&attributes != &kPlainAttributes) effect.attributes = attributes;
}

void WriteBatch::remove(const KeyRef& key) { add(EffectKind::remove, key, {}); }

void WriteBatch::patch(const KeyRef& key, std::uint64_t offset, std::uint64_t erase,
                       BytesView bytes) {
  Effect& effect = add(EffectKind::patch, key, keep(bytes));
  effect.offset = offset;
  effect.erase = erase;
}

void WriteBatch::expire(const KeyRef& key, std::int64_t expires_ms) {
  add(EffectKind::expire, key, {}).attributes.expires_ms = expires_ms;
}

void WriteBatch::delete_range(Keyspace space, BytesView begin, BytesView end) {
  add(EffectKind::delete_range, {space, begin}, keep(end));
}

void WriteBatch::require_absent(const KeyRef& key) {
  conditions_.push_back({ConditionKind::absent, {key.space, keep(key.key)}, {}});
}

void WriteBatch::require_present(const KeyRef& key) {
  conditions_.push_back({ConditionKind::present, {key.space, keep(key.key)}, {}});
}

void WriteBatch::require_unchanged(const KeyRef& key, Version version) {
  conditions_.push_back({ConditionKind::unchanged, {key.space, keep(key.key)}, version});
}

void WriteBatch::clear() noexcept {
  effects_.clear();
  conditions_.clear();
  arena_->clear();
  bytes_ = 0;
  ++drops_;
}

void WriteBatch::truncate_effects(std::size_t count) {
  if (count < effects_.size()) ++drops_;
  while (effects_.size() > count) {
    bytes_ -= effects_.back().key.key.size() + effects_.back().value.size();
    effects_.pop_back();
  }
}

}  // namespace strata
