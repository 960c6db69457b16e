#include <gtest/gtest.h>

#include <array>

#include "strata/backend.h"

namespace strata {
namespace {

constexpr std::array<std::string_view, 2> kChoices = {"small", "large"};
constexpr std::array kRows = {
    OptionSpec{.name = "path", .fallback = "here"},
    OptionSpec{
        .name = "port", .kind = OptionKind::integer, .fallback = "80", .min = 1, .max = 65535},
    OptionSpec{.name = "cache", .kind = OptionKind::bytes, .fallback = "4KiB", .max = 1 << 20},
    OptionSpec{.name = "pause", .kind = OptionKind::duration_ms, .fallback = "1s"},
    OptionSpec{.name = "fast", .kind = OptionKind::boolean, .fallback = "true"},
    OptionSpec{
        .name = "shape", .kind = OptionKind::choice, .fallback = "small", .choices = kChoices},
    OptionSpec{
        .name = "pin", .kind = OptionKind::integer, .fallback = "0", .max = 9999, .secret = true}};

std::string error_of(std::string_view name, std::string_view written) {
  OptionValues values(kRows);
  const Result<> set = values.set(name, written);
  return set ? "" : set.error().to_string();
}

TEST(OptionValues, BeginWithTheDefaults) {
  const OptionValues values(kRows);
  EXPECT_EQ(values.text("path"), "here");
  EXPECT_EQ(values.number("port"), 80);
  EXPECT_EQ(values.number("cache"), 4096);
  EXPECT_EQ(values.number("pause"), 1000);
  EXPECT_TRUE(values.flag("fast"));
  EXPECT_EQ(values.text("shape"), "small");
  EXPECT_EQ(values.written("cache"), "4KiB");
}

TEST(OptionValues, TakeSizesAndTimesAsPeopleWriteThem) {
  OptionValues values(kRows);
  ASSERT_TRUE(values.set("cache", "512KiB"));
  ASSERT_TRUE(values.set("pause", "15m"));
  ASSERT_TRUE(values.set("fast", "false"));
  EXPECT_EQ(values.number("cache"), 512 * 1024);
  EXPECT_EQ(values.number("pause"), 900'000);
  EXPECT_FALSE(values.flag("fast"));
  EXPECT_EQ(values.written("cache"), "512KiB");
}

TEST(OptionValues, NameWhatTheyRefuse) {
  EXPECT_EQ(error_of("prot", "1"), "unknown option 'prot' (did you mean 'port'?)");
  EXPECT_EQ(error_of("port", "70000"), "port: '70000' is out of range: 1 to 65535");
  EXPECT_EQ(error_of("cache", "2GiB"), "cache: '2GiB' is out of range: 0 to 1MiB");
  EXPECT_EQ(error_of("fast", "yes"), "fast: 'yes' is neither true nor false");
  EXPECT_EQ(error_of("shape", "smal"),
            "shape: 'smal' is none of small, large (did you mean 'small'?)");
  EXPECT_NE(error_of("port", "eighty").find("port: 'eighty'"), std::string::npos);
}

TEST(OptionValues, KeepTheOldValueWhenTheNewOneIsRefused) {
  OptionValues values(kRows);
  ASSERT_FALSE(values.set("port", "0"));
  EXPECT_EQ(values.number("port"), 80);
}

TEST(OptionValues, NeverRepeatASecret) {
  EXPECT_EQ(error_of("pin", "123456789").find("123456789"), std::string::npos);
  EXPECT_EQ(error_of("pin", "hunter2").find("hunter2"), std::string::npos);
}

TEST(Registry, RefusesANameThatIsTaken) {
  Registry registry = Registry::builtin();
  ASSERT_NE(registry.backend("memory"), nullptr);
  const Result<> again = registry.add(*registry.backend("memory"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::invalid_argument);
  EXPECT_EQ(registry.backend("nothing"), nullptr);
}

}  // namespace
}  // namespace strata
