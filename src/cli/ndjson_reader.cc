// Lines by hand, JSON by nlohmann's event parser: it checks the whole line, builds nothing, and
// needs no recursion, so depth costs no stack.
#include "cli/ndjson_reader.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/quote.h"

namespace strata::cli {

namespace {

bool is_blank(BytesView line) { return line.find_first_not_of(" \t\r") == BytesView::npos; }

/// Listens for one field of the outermost object.
class KeyFinder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit KeyFinder(const std::string& field) : field_(field) {}

  bool null() override { return value("null"); }
  bool boolean(bool) override { return value("true or false"); }
  bool number_integer(number_integer_t number) override { return take(std::to_string(number)); }
  bool number_unsigned(number_unsigned_t number) override { return take(std::to_string(number)); }
  bool number_float(number_float_t, const string_t& written) override { return take(written); }
  bool string(string_t& text) override { return take(text); }
  bool binary(binary_t&) override { return value("binary"); }
  bool start_object(std::size_t) override {
    if (depth_ == 0) is_object_ = true;
    return open("an object");
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open("an array"); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    wanted_ = depth_ == 1 && !found_ && wrong_.empty() && !field_.empty() && name == field_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    error_at_ = position;
    return false;
  }

  Result<Bytes> answer() const {
    if (error_at_) {
      return Error(Code::invalid_argument, "no valid JSON at byte " + std::to_string(*error_at_));
    }
    if (field_.empty()) return Bytes();
    if (found_) return *found_;
    const std::string name = base::quote(field_);
    if (!wrong_.empty()) {
      return Error(Code::invalid_argument,
                   "the key field " + name + " is " + wrong_ + ", not text or a number");
    }
    if (!is_object_) return Error(Code::invalid_argument, "no JSON object, so no field " + name);
    return Error(Code::invalid_argument, "there is no key field " + name);
  }

 private:
  bool take(const std::string& text) {
    if (wanted_) found_ = text;
    wanted_ = false;
    return true;
  }
  bool value(const char* what) {
    if (wanted_) wrong_ = what;
    wanted_ = false;
    return true;
  }
  bool open(const char* what) {
    ++depth_;
    return value(what);
  }
  bool close() {
    --depth_;
    return true;
  }

  const std::string& field_;
  std::size_t depth_ = 0;
  bool is_object_ = false;
  bool wanted_ = false;
  std::optional<Bytes> found_;
  std::string wrong_;
  std::optional<std::size_t> error_at_;
};

}  // namespace

Result<NdjsonReader::Step> NdjsonReader::next() {
  while (true) {
    window_.take(pending_);
    pending_ = 0;
    STRATA_LET(const Step step, read_line());
    if (step != Step::line || !is_blank(text_)) return step;
  }
}

Result<NdjsonReader::Step> NdjsonReader::read_line() {
  std::size_t searched = 0;
  while (true) {
    const BytesView view = window_.view();
    const std::size_t end = view.find('\n', searched);
    if (end != BytesView::npos && end <= line_bytes_max_) {
      text_ = view.substr(0, end);
      pending_ = end + 1;
      ++line_;
      return Step::line;
    }
    if (view.size() > line_bytes_max_) return skip_line();
    searched = view.size();
    STRATA_LET(const bool more, window_.more());
    if (more) continue;
    text_ = window_.view();
    pending_ = text_.size();
    if (text_.empty()) return Step::end;
    ++line_;
    return Step::line;
  }
}

Result<NdjsonReader::Step> NdjsonReader::skip_line() {
  text_ = {};
  ++line_;
  while (true) {
    const BytesView view = window_.view();
    const std::size_t end = view.find('\n');
    window_.take(end == BytesView::npos ? view.size() : end + 1);
    if (end != BytesView::npos) return Step::too_long;
    STRATA_LET(const bool more, window_.more());
    if (!more) return Step::too_long;
  }
}

Result<Bytes> json_key(BytesView line, const std::string& field) {
  KeyFinder finder(field);
  try {
    nlohmann::json::sax_parse(line.begin(), line.end(), &finder);
  } catch (const std::exception& error) {
    return Error(Code::invalid_argument, std::string("no valid JSON: ") + error.what());
  }
  return finder.answer();
}

}  // namespace strata::cli
