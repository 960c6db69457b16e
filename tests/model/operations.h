// Operations of the model test: a list made from a seed, shown as text, and shrunk.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "strata/bytes.h"

namespace strata::model {

enum class Kind : std::uint8_t {
  put,
  put_until,
  patch,
  append,
  remove,
  expire,
  delete_range,
  put_if_absent,
  put_if_unchanged,
  batch,
  update,
  take_snapshot,
  drop_snapshot,
  advance,
  maintain,
  reopen
};
inline constexpr int kKindCount = 16;

/// One step. What a field means depends on the kind; a number too large is taken modulo.
struct Operation {
  Kind kind = Kind::put;
  Bytes key;
  Bytes other;  ///< the end of a range, the second key of a batch
  Bytes value;
  std::uint64_t number = 0;  ///< an offset, a time in ms
  std::uint64_t second = 0;  ///< bytes to erase
};

std::ostream& operator<<(std::ostream& out, const Operation& operation);
std::string shown(const std::vector<Operation>& operations);

/// `count` operations over few keys; the same seed gives the same list.
std::vector<Operation> make_operations(std::uint64_t seed, std::size_t count);

/// The shortest list that it finds for which `fails` still holds (delta debugging): leaves out
/// ever smaller runs of operations until none can go. `fails(operations)` must hold.
std::vector<Operation> shrink(std::vector<Operation> operations,
                              const std::function<bool(const std::vector<Operation>&)>& fails);

}  // namespace strata::model
