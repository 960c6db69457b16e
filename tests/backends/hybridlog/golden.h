// The golden files of the format: written once, never again.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "backends/hybridlog/segment.h"
#include "strata/bytes.h"

namespace strata::backends::hybridlog {

inline Bytes golden(const std::string& name) {
  std::ifstream file(STRATA_TEST_DATA "/hybridlog/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return Bytes((std::istreambuf_iterator<char>(file)), {});
}

/// The store that they belong to: 00 01 02 ... 0f.
inline StoreId golden_store() {
  StoreId store;
  for (std::uint8_t i = 0; i < sizeof(store.bytes); ++i) store.bytes[i] = i;
  return store;
}

}  // namespace strata::backends::hybridlog
