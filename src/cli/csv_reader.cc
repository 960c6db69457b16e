#include "cli/csv_reader.h"

namespace strata::cli {

Result<CsvReader::Step> CsvReader::next() {
  while (true) {
    window_.take(pending_);
    pending_ = 0;
    row_bytes_ = 0;
    at_ = 0;
    within_ = Within::start;
    fields_.assign(1, Bytes());
    fault_.clear();
    first_line_ = line_ + 1;
    STRATA_LET(const Step step, read_row());
    const bool blank = step == Step::row && row_bytes_ == 0;
    if (!blank) return step;
  }
}

Result<bool> CsvReader::available() {
  if (at_ < window_.view().size()) return true;
  return window_.more();
}

Result<CsvReader::Step> CsvReader::read_row() {
  while (true) {
    STRATA_LET(const bool any, available());
    if (!any) break;
    if (at_ >= row_bytes_max_) {
      return give_up("a row of more than " + std::to_string(row_bytes_max_) + " bytes", 0);
    }
    const char c = window_.view()[at_];
    if (c == '\n' && within_ != Within::quoted) {
      ++at_;
      end_row();
      return Step::row;
    }
    if (const char* fault = step(c); fault != nullptr) return give_up(fault, at_);
    ++at_;
  }
  if (at_ == 0) return Step::end;
  if (within_ == Within::quoted) return give_up("a quoted field that never ends", 0);
  end_row();
  return Step::row;
}

/// Takes one byte that does not end the row; says what is wrong with it, or null.
const char* CsvReader::step(char c) {
  if (c == '\n') ++line_;
  switch (within_) {
    case Within::quoted:
      if (c == '"') {
        within_ = Within::closed;
      } else {
        fields_.back() += c;
      }
      return nullptr;
    case Within::closed:
      if (c == '"') {
        fields_.back() += c;
        within_ = Within::quoted;
        return nullptr;
      }
      // A carriage return may only stand before the line end; end_row() looks at it.
      if (c == '\r') return nullptr;
      if (c != ',') return "text behind a quoted field";
      break;
    case Within::start:
      if (c == '"') {
        within_ = Within::quoted;
        return nullptr;
      }
      [[fallthrough]];
    case Within::plain:
      if (c == '"') return "a quote within a field that is not quoted";
      within_ = Within::plain;
      if (c != ',') {
        fields_.back() += c;
        return nullptr;
      }
      break;
  }
  fields_.emplace_back();
  within_ = Within::start;
  return nullptr;
}

/// at_ stands behind the line end, or at the end of the file.
void CsvReader::end_row() {
  ++line_;
  pending_ = at_;
  BytesView row = window_.view().substr(0, at_);
  if (row.ends_with('\n')) row.remove_suffix(1);
  if (row.size() < at_ && row.ends_with('\r')) {
    row.remove_suffix(1);
    if (within_ == Within::plain && fields_.back().ends_with('\r')) fields_.back().pop_back();
  }
  row_bytes_ = row.size();
}

/// Goes on behind the line end that follows byte `from` of the row.
Result<CsvReader::Step> CsvReader::give_up(std::string fault, std::size_t from) {
  fault_ = std::move(fault);
  if (from == 0) line_ = first_line_ - 1;
  while (true) {
    const std::size_t end = window_.view().find('\n', from);
    if (end != BytesView::npos) {
      window_.take(end + 1);
      break;
    }
    window_.take(window_.view().size());
    from = 0;
    STRATA_LET(const bool more, window_.more());
    if (!more) break;
  }
  ++line_;
  return Step::bad;
}

}  // namespace strata::cli
