#include "server/view.h"

namespace strata::server {

View::View(Engine& engine) : engine_(engine), async_(engine.as<AsyncReads>()) {}
View::~View() = default;

void View::begin(Keyspace space, std::int64_t now_ms, std::span<const KeyRef> declared,
                 const Snapshot* at) {
  at_ = at;
  forget(space, now_ms, declared);
}

void View::forget(Keyspace space, std::int64_t now_ms, std::span<const KeyRef> declared) {
  space_ = space;
  now_ms_ = now_ms;
  declared_ = declared;
  declared_read_ = false;
  used_ = 0;
  error_.reset();
}

void View::finish() {
  // A large value must not stay in memory because its buffer might be used again.
  constexpr std::size_t kKeepBytes = 64 * 1024;
  for (std::size_t i = 0; i < used_; ++i) {
    Value& value = slots_[i]->record.value;
    if (value.size() > kKeepBytes) value = Value();
    Value& spare = slots_[i]->read.value;
    if (spare.size() > kKeepBytes) spare = Value();
  }
  constexpr std::size_t kKeepSlots = 64;
  if (slots_.size() > kKeepSlots) slots_.resize(kKeepSlots);
  if (reads_.capacity() > kKeepSlots) std::vector<Read>().swap(reads_);
  used_ = 0;
  declared_ = {};
  at_ = nullptr;
}

Step View::fail(Error error) {
  error_ = std::move(error);
  return Step::failed;
}

View::Slot* View::slot_of(const KeyRef& key, bool info_only) {
  for (std::size_t i = 0; i < used_; ++i) {
    Slot& slot = *slots_[i];
    if (slot.read.key == key && (info_only || !slot.info_only)) return &slot;
  }
  return nullptr;
}

View::Slot& View::add(const KeyRef& key, bool info_only) {
  if (used_ == slots_.size()) slots_.push_back(std::make_unique<Slot>());
  Slot& slot = *slots_[used_++];
  slot.key.assign(key.key);
  slot.read.key = {key.space, slot.key};
  slot.info_only = info_only;
  slot.present = false;
  return slot;
}

Fetched<Record*> View::look(const KeyRef& key, bool info_only) {
  Slot* slot = slot_of(key, info_only);
  if (slot == nullptr) {
    const std::size_t from = used_;
    if (!declared_read_) {
      declared_read_ = true;
      for (const KeyRef& declared : declared_) add(declared, info_only);
    }
    slot = slot_of(key, info_only);
    if (slot == nullptr) slot = &add(key, info_only);
    STRATA_FETCH([[maybe_unused]] const bool fetched, fetch(from, info_only));
  }
  return slot->present ? &slot->record : nullptr;
}

Fetched<bool> View::fetch(std::size_t from, bool info_only) {
  reads_.resize(used_ - from);
  for (std::size_t i = from; i < used_; ++i) {
    reads_[i - from].key = slots_[i]->read.key;
    reads_[i - from].value.swap(slots_[i]->record.value);
  }
  const ReadOptions options{.at = at_, .info_only = info_only};
  pending_from_ = from;
  std::optional<Result<>> answer;
  if (async_ != nullptr) {
    waiting_ = true;  // before the start: the completion may be faster than our return
    answer = async_->start_mget(reads_, options, *this);
    if (!answer) return Step::wait;
    waiting_ = false;
  } else {
    answer = engine_.mget(reads_, options);
  }
  if (!*answer) {
    used_ = from;
    return fail(std::move(*answer).error());
  }
  take(from);
  return true;
}

void View::take(std::size_t from) {
  for (std::size_t i = from; i < used_; ++i) {
    Slot& slot = *slots_[i];
    Read& read = reads_[i - from];
    slot.record.value.swap(read.value);
    slot.present = read.info.has_value();
    if (slot.present) slot.record.info = std::move(*read.info);
  }
}

void View::complete(Result<> result) noexcept {
  pending_result_ = std::move(result);
  wake_();  // hands over to the operation's thread, which orders what was written here
}

void View::resume() {
  waiting_ = false;
  if (!*pending_result_) {
    // The next run asks again and reports what it is then told, unless the error stands.
    error_ = pending_result_->error();
    used_ = pending_from_;
  } else {
    take(pending_from_);
  }
  pending_result_.reset();
}

Fetched<bool> View::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                              ScanPage& page) {
  CursorOptions here = options;
  here.at = at_;
  if (const Result<> done = engine_.scan_some(space, cursor, here, page); !done) {
    return fail(done.error());
  }
  return true;
}

Fetched<std::uint64_t> View::count(Keyspace space) {
  const Result<std::uint64_t> count = engine_.count(space);
  if (!count) return fail(count.error());
  return *count;
}

std::pair<std::uint64_t, std::uint64_t> View::hits_and_misses() const noexcept {
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    if (slots_[i]->present) ++hits;
  }
  return {hits, used_ - hits};
}

void View::require(WriteBatch& batch) const {
  for (std::size_t i = 0; i < used_; ++i) {
    const Slot& slot = *slots_[i];
    batch.require_unchanged(slot.read.key, slot.present ? slot.record.info.version : Version{});
  }
}

}  // namespace strata::server
