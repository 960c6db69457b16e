// Ranges, pages, and what is built from pages.
#include "strata/scan.h"

#include "strata/capabilities.h"

namespace strata {

Range Range::prefix(Keyspace space, BytesView prefix) {
  Range range{space, Bytes(prefix), Bytes(prefix)};
  // The smallest key above all with the prefix: drop trailing 0xFF, raise what is left by one.
  while (!range.end.empty() && static_cast<unsigned char>(range.end.back()) == 0xFF) {
    range.end.pop_back();
  }
  if (!range.end.empty()) {
    range.end.back() = static_cast<char>(static_cast<unsigned char>(range.end.back()) + 1);
  }
  return range;
}

ScanEntry ScanPage::operator[](std::size_t index) const noexcept {
  const Slot& slot = records_[index];
  const char* key = bytes_.data() + slot.key_offset;
  return {{key, slot.key_bytes}, {key + slot.key_bytes, slot.value_bytes}, slot.info};
}

void ScanPage::clear() noexcept {
  records_.clear();
  bytes_.clear();
  more_ = false;
}

void ScanPage::add(BytesView key, BytesView value, const RecordInfo& info) {
  records_.emplace_back(bytes_.size(), key.size(), value.size(), info);
  bytes_.append(key);
  bytes_.append(value);
}

ScanIterator::ScanIterator(Ordered& engine, Range range, ScanOptions options)
    : engine_(engine), range_(std::move(range)), options_(options) {}

Range ScanIterator::rest() const {
  if (!started_ || page_.empty()) return range_;
  Range rest = range_;
  const BytesView key = page_[index_].key;
  if (options_.reverse) {
    // An empty end would mean no end at all: below the empty key there is nothing.
    if (key.empty()) {
      rest.begin = rest.end = Bytes(1, '\0');
    } else {
      rest.end = Bytes(key);
    }
  } else {
    rest.begin = Bytes(key);
    rest.begin.push_back('\0');
  }
  return rest;
}

Result<bool> ScanIterator::next() {
  if (options_.limit != 0 && seen_ == options_.limit) return false;
  if (started_ && index_ + 1 < page_.size()) {
    ++index_;
    ++seen_;
    return true;
  }
  if (started_ && !page_.more()) {
    // Stays behind the last record, so that rest() is right at the end, too.
    return false;
  }
  do {
    range_ = rest();
    page_.clear();
    STRATA_TRY(engine_.scan(range_, options_, page_));
    started_ = true;
    index_ = 0;
  } while (page_.empty() && page_.more());
  if (page_.empty()) return false;
  ++seen_;
  return true;
}

Result<> for_each(Ordered& engine, const Range& range, const ScanOptions& options,
                  FunctionRef<bool(const ScanEntry&)> visit) {
  ScanIterator iterator(engine, range, options);
  while (true) {
    STRATA_LET(const bool any, iterator.next());
    if (!any || !visit(iterator.entry())) return {};
  }
}

}  // namespace strata
