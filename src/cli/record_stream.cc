#include "cli/record_stream.h"

namespace strata::cli {

namespace {
constexpr char kKeyCursor = 'k';
constexpr char kEngineCursor = 'c';
constexpr std::uint32_t kPageRecords = 256;
}  // namespace

Result<RecordStream> RecordStream::begin(Engine& engine, Keyspace space, Bytes prefix,
                                         const Bytes& cursor) {
  RecordStream stream(engine, space, std::move(prefix));
  stream.ordered_ = engine.as<Ordered>() != nullptr;
  stream.rest_ = Range::prefix(space, stream.prefix_);
  if (cursor.empty()) return stream;
  if (cursor[0] != (stream.ordered_ ? kKeyCursor : kEngineCursor)) {
    return Error(Code::invalid_argument, "the position is not one of this store");
  }
  if (stream.ordered_) {
    stream.rest_.begin = cursor.substr(1) + '\0';
  } else {
    stream.page_cursor_ = cursor.substr(1);
    stream.ended_ = stream.page_cursor_.empty();
  }
  return stream;
}

Result<> RecordStream::fill() {
  index_ = 0;
  if (ordered_) {
    ScanOptions options;
    options.page_records = kPageRecords;
    STRATA_TRY(engine_.as<Ordered>()->scan(rest_, options, page_));
    if (!page_.empty()) rest_.begin = Bytes(page_[page_.size() - 1].key) + '\0';
    ended_ = !page_.more();
    return {};
  }
  CursorOptions options;
  options.count = kPageRecords;
  options.prefix = prefix_;
  STRATA_TRY(engine_.scan_some(space_, page_cursor_, options, page_));
  ended_ = page_cursor_.empty();
  return {};
}

Result<bool> RecordStream::next() {
  while (true) {
    while (index_ == page_.size()) {
      if (ended_) return false;
      STRATA_TRY(fill());
    }
    const ScanEntry entry = page_[index_++];
    key_ = entry.key;
    type_ = entry.info.type;
    if (ordered_) {
      value_.assign(entry.value);
      return true;
    }
    if (!key_.starts_with(prefix_)) continue;
    // One by one: a page of large values is never held.
    STRATA_LET(const auto info, engine_.get({space_, key_}, value_));
    if (info) return true;
  }
}

std::optional<Bytes> RecordStream::cursor() const {
  if (ordered_) return kKeyCursor + key_;
  if (index_ != page_.size()) return std::nullopt;
  return kEngineCursor + page_cursor_;
}

}  // namespace strata::cli
