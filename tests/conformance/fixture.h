// Conformance: the fixture of all contract tests: an engine of a subject in a folder of its own, on
// a clock that stands still, and short forms that fail the test when the engine reports an error.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "conformance/subject.h"
#include "io/temp_folder.h"
#include "strata/capabilities.h"

namespace strata::conformance {

/// The value of a result; an error fails the test and ends it.
template <class T>
T ok(Result<T> result, std::source_location at = std::source_location::current()) {
  if (!result) {
    ADD_FAILURE_AT(at.file_name(), static_cast<int>(at.line())) << result.error().to_string();
    throw std::runtime_error("the engine reported an error");
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// The code of a result that has to be an error, and to say something.
template <class T>
std::optional<Code> code_of(const Result<T>& result) {
  if (result) return std::nullopt;
  EXPECT_FALSE(result.error().message().empty());
  return result.error().code();
}

/// So that a failure reads as the code's name.
struct ShownCode {
  std::optional<Code> code;
  friend bool operator==(const ShownCode&, const ShownCode&) = default;
  friend std::ostream& operator<<(std::ostream& out, const ShownCode& shown) {
    return out << (shown.code ? code_name(*shown.code) : "success");
  }
};

#define EXPECT_CODE(result, wanted)                                                   \
  EXPECT_EQ(::strata::conformance::ShownCode{::strata::conformance::code_of(result)}, \
            ::strata::conformance::ShownCode{wanted})

/// What must hold of a record, in the order of a scan.
struct Item {
  Bytes key;
  Bytes value;
  friend bool operator==(const Item&, const Item&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Item& item) {
    return out << '"' << item.key << "\"=\"" << item.value << '"';
  }
};

class Conformance : public testing::TestWithParam<Subject> {
 protected:
  static constexpr Keyspace kSpace{20};
  static constexpr Keyspace kOther{21};

  void SetUp() override;
  void TearDown() override;

  Environment environment();
  /// Opens the subject's folder, or another one.
  void open();
  Result<std::unique_ptr<Engine>> try_open(const Environment& with);
  void close();
  void reopen();

  Engine& engine() { return *engine_; }
  template <class T>
  T& as() {
    T* capability = engine_->as<T>();
    if (capability == nullptr) throw std::runtime_error("the engine lacks what its row says");
    return *capability;
  }

  static KeyRef at(BytesView key) { return {kSpace, key}; }
  Version put(BytesView key, BytesView value, const RecordAttributes& attributes = {});
  Version put_until(BytesView key, BytesView value, std::int64_t expires_ms);
  Version remove(BytesView key);
  Commit commit(const WriteBatch& batch);
  std::optional<Bytes> get(BytesView key, const Snapshot* at_snapshot = nullptr);
  std::optional<RecordInfo> info(BytesView key, const Snapshot* at_snapshot = nullptr);
  /// All records of a range, page by page.
  std::vector<Item> scan(const Range& range, ScanOptions options = {});
  std::vector<Item> scan_all() { return scan(Range::all(kSpace)); }
  std::vector<Bytes> keys(const Range& range, ScanOptions options = {});
  /// All keys of the keyspace, sorted, on any engine.
  std::vector<Bytes> scan_keys_by_cursor();
  /// All keys of a keyspace by scan_some, each with how often it came.
  std::map<Bytes, int> cursor_keys(CursorOptions options = {}, Keyspace space = kSpace);
  std::uint64_t count(Keyspace space = kSpace) { return ok(engine().count(space)); }
  std::int64_t now() { return clock_.wall_ms(); }

  base::SimClock clock_;
  io::TempFolder temp_;
  std::unique_ptr<Engine> engine_;
};

/// Sizes and rounds shrink where the build is slow by its nature.
inline constexpr bool kSlowBuild =
#if defined(STRATA_SANITIZED) || !defined(NDEBUG)
    true;
#else
    false;
#endif

/// Skips the rest of a test if the row of the subject has not this capability. Nothing else skips.
#define NEEDS(capability)                                         \
  if (!GetParam().has(CapabilityId::capability)) {                \
    ::strata::conformance::note_excused_skip();                   \
    GTEST_SKIP() << "its row in subjects.cc has no " #capability; \
  }                                                               \
  static_assert(true)

void note_excused_skip();

std::string subject_name(const testing::TestParamInfo<Subject>& info);

/// A part of the contract: a suite of tests that every subject of the program runs.
#define CONFORMANCE_PART(part)                                                        \
  class part : public ::strata::conformance::Conformance {};                          \
  INSTANTIATE_TEST_SUITE_P(Contract, part,                                            \
                           testing::ValuesIn(::strata::conformance::subjects_here()), \
                           ::strata::conformance::subject_name)

}  // namespace strata::conformance
