// Sealed JSON: one flat object of text, one member a line, whose last member is a checksum of all
// bytes before it. For a person to read and for a program to trust.
//
// Format: docs/formats/file.md
// Always: what open_sealed() hands out is exactly what a writer wrote.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::backends::file {

inline constexpr std::size_t kSealedBytesMax = 1024 * 1024;

/// Builds one, member by member in the order of the calls.
class SealedWriter {
 public:
  /// `value` must be UTF-8 without control characters (is_plain_text).
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void signed_number(std::string_view name, std::int64_t value);
  void flag(std::string_view name, bool value);
  std::size_t bytes() const noexcept { return text_.size(); }
  /// Adds the checksum. The writer is used up.
  Bytes seal() &&;

 private:
  void name(std::string_view name);
  Bytes text_ = "{\n";
};

/// Its members, to be taken out one by one.
class SealedReader {
 public:
  /// Checks the checksum, then parses. Errors (corruption) do not name the file: the caller does.
  static Result<SealedReader> open(BytesView text);

  bool has(std::string_view name) const { return members_.find(name) != members_.end(); }
  // Takes a member out; an absent one and one of another kind are an error that names it.
  Result<std::string> text(std::string_view name);
  Result<std::uint64_t> number(std::string_view name);
  Result<std::int64_t> signed_number(std::string_view name);
  Result<bool> flag(std::string_view name);
  /// Fails if a member was not taken: it is one that this version does not know.
  Result<> finish() const;
  /// The first member left, or empty.
  std::string first_left() const { return members_.empty() ? "" : members_.begin()->first; }

 private:
  using Member = std::variant<std::string, std::uint64_t, std::int64_t, bool>;
  template <class T>
  Result<T> take(std::string_view name);
  std::map<std::string, Member, std::less<>> members_;
};

/// The error of a file that holds something else than it should; the caller names the file.
inline Error bad(std::string why) { return {Code::corruption, std::move(why)}; }

/// Valid UTF-8 without control characters; `with_lines` lets tab, CR and LF pass.
bool is_plain_text(BytesView bytes, bool with_lines = false);

}  // namespace strata::backends::file
