// Short forms for tests of one backend; the contract itself is tested by tests/conformance/.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/posix_file_system.h"
#include "io/temp_folder.h"
#include "strata/strata.h"

namespace strata::backends {

#define STRATA_OK(result)                                                \
  do {                                                                   \
    const auto& ok_result = (result);                                    \
    ASSERT_TRUE(ok_result.has_value()) << ok_result.error().to_string(); \
  } while (false)

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code{} : result.error().code();
}

inline constexpr Keyspace kSpace{16};

inline KeyRef at(BytesView key) { return {kSpace, key}; }

inline std::optional<Bytes> get(Engine& engine, BytesView key, const Snapshot* snapshot = nullptr) {
  Value value;
  ReadOptions options;
  options.at = snapshot;
  const auto info = engine.get(at(key), value, options);
  EXPECT_TRUE(info.has_value()) << info.error().to_string();
  if (!info || !info->has_value()) return std::nullopt;
  return value.to_bytes();
}

inline std::uint64_t count(Engine& engine, Keyspace space = kSpace) {
  const auto result = engine.count(space);
  EXPECT_TRUE(result.has_value()) << result.error().to_string();
  return result.value_or(~std::uint64_t{0});
}

inline std::vector<Bytes> keys(Engine& engine, const Range& range, ScanOptions options = {}) {
  std::vector<Bytes> found;
  const Result<> done =
      for_each(*engine.as<Ordered>(), range, options, [&](const ScanEntry& entry) {
        found.emplace_back(entry.key);
        return true;
      });
  EXPECT_TRUE(done.has_value()) << done.error().to_string();
  return found;
}

/// A folder, a clock that stands still, and what an engine is opened with.
class EngineTest : public testing::Test {
 protected:
  Environment environment(bool read_only = false) {
    return {.files = io::posix(),
            .clock = clock_,
            .folder = folder_.path(),
            .read_only = read_only,
            .durability = Durability::none};
  }

  io::TempFolder folder_;
  base::SimClock clock_;
};

}  // namespace strata::backends
