// The smallest program with Strata in it: opens a store in ./embed-data, writes, reads, goes.
#include <strata/strata.h>

#include <iostream>

strata::Result<> greet(const std::string& folder) {
  STRATA_LET(auto store, strata::open(folder));
  STRATA_TRY(store->put("hello", "world"));
  STRATA_LET(const auto value, store->get("hello"));
  std::cout << "hello " << value.value_or("(nothing)") << '\n';
  return store->close();
}

int main() {
  if (const auto greeted = greet("embed-data"); !greeted) {
    std::cerr << greeted.error().to_string() << '\n';
    return 1;
  }
}
