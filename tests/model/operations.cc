#include "model/operations.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/quote.h"
#include "base/random.h"

namespace strata::model {

namespace {

constexpr std::array<std::string_view, kKindCount> kNames = {
    "put",    "put_until",     "patch",         "append",           "remove",
    "expire", "delete_range",  "put_if_absent", "put_if_unchanged", "batch",
    "update", "take_snapshot", "drop_snapshot", "advance",          "maintain",
    "reopen"};

/// Small enough that operations meet, strange enough that they hurt.
Bytes make_key(base::Random& random) {
  static const std::array<Bytes, 10> keys = {
      "a", "ab", Bytes("a\0", 2), "b", "ba", "\xff", "\xff\xff", "c", "abc", Bytes(1, '\0')};
  return keys[random.uniform(keys.size())];
}

Bytes make_value(base::Random& random) {
  // Now and then one that engines keep in another way than small ones.
  const std::size_t bytes = random.one_in(20) ? 5000 : random.uniform(12);
  return random.bytes(bytes);
}

Kind make_kind(base::Random& random) {
  const auto kind = static_cast<Kind>(random.uniform(kKindCount));
  // What forgets much or costs much comes rarely.
  const bool rare = kind == Kind::reopen || kind == Kind::delete_range;
  return rare && !random.one_in(4) ? Kind::put : kind;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  return out << kNames[static_cast<std::size_t>(operation.kind)] << " key "
             << base::quote(operation.key) << " other " << base::quote(operation.other) << " value "
             << base::quote(operation.value, 20) << ' ' << operation.number << ' '
             << operation.second;
}

std::string shown(const std::vector<Operation>& operations) {
  std::ostringstream text;
  for (const Operation& operation : operations) text << "  " << operation << '\n';
  return text.str();
}

std::vector<Operation> make_operations(std::uint64_t seed, std::size_t count) {
  base::Random random(seed);
  std::vector<Operation> operations(count);
  for (Operation& operation : operations) {
    operation.kind = make_kind(random);
    operation.key = make_key(random);
    operation.other = make_key(random);
    operation.value = make_value(random);
    operation.number = random.uniform(30);
    operation.second = random.uniform(8);
  }
  return operations;
}

std::vector<Operation> shrink(std::vector<Operation> operations,
                              const std::function<bool(const std::vector<Operation>&)>& fails) {
  for (std::size_t run = std::max<std::size_t>(operations.size() / 2, 1); run != 0;) {
    bool left_out = false;
    for (std::size_t begin = 0; begin < operations.size();) {
      std::vector<Operation> shorter = operations;
      const auto first = shorter.begin() + static_cast<std::ptrdiff_t>(begin);
      const std::size_t end = std::min(begin + run, operations.size());
      shorter.erase(first, shorter.begin() + static_cast<std::ptrdiff_t>(end));
      if (fails(shorter)) {
        operations = std::move(shorter);
        left_out = true;
      } else {
        begin += run;
      }
    }
    // At the size of one, again until nothing more can go.
    if (run > 1) {
      run /= 2;
    } else if (!left_out) {
      run = 0;
    }
  }
  return operations;
}

}  // namespace strata::model
