// Result and Error: width, conversion, the cause chain, and the two macros.
#include "strata/result.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

static_assert(sizeof(Error) == sizeof(void*));
static_assert(sizeof(Result<unsigned long>) == 16);

Result<int> half(int number) {
  if (number % 2 != 0) return Error(Code::invalid_argument, std::to_string(number) + " is odd");
  return number / 2;
}

Result<int> quarter(int number) {
  STRATA_LET(const int once, half(number));
  return half(once);
}

Result<> check(int number) {
  STRATA_TRY(quarter(number));
  return {};
}

TEST(Result, CarriesAValueThroughTheMacros) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_TRUE(check(8).has_value());
}

TEST(Result, CarriesTheFirstErrorThroughTheMacros) {
  const Result<> result = check(6);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::invalid_argument);
  EXPECT_EQ(result.error().message(), "3 is odd");
}

TEST(Error, ShowsItsCausesInOneLine) {
  const Error error(Code::io, "cannot open store", Error(Code::io, "data/LOCK: permission denied"));
  EXPECT_EQ(error.to_string(), "cannot open store: data/LOCK: permission denied");
  const Error copy = error;
  ASSERT_NE(copy.cause(), nullptr);
  EXPECT_EQ(copy.cause()->message(), "data/LOCK: permission denied");
}

TEST(Code, HasANameForEveryValue) {
  for (int code = 1; code <= static_cast<int>(Code::authentication); ++code) {
    EXPECT_NE(code_name(static_cast<Code>(code)), "unknown") << code;
  }
}

}  // namespace
}  // namespace strata
