// Registry: two lists of rows. What is built in stands in a file that the build writes from the
// folders there are (src/stack/CMakeLists.txt).
#include "base/quote.h"
#include "strata/backend.h"

namespace strata {

namespace {

template <class Spec>
const Spec* find(const std::vector<Spec>& specs, std::string_view name) {
  for (const Spec& spec : specs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

template <class Spec>
Result<> add_to(std::vector<Spec>& specs, const Spec& spec, std::string_view what) {
  if (find(specs, spec.name) != nullptr) {
    return Error(Code::invalid_argument,
                 "there is a " + std::string(what) + " " + base::quote(spec.name) + " already");
  }
  specs.push_back(spec);
  return {};
}

}  // namespace

Result<> Registry::add(const BackendSpec& backend) { return add_to(backends_, backend, "backend"); }
Result<> Registry::add(const LayerSpec& layer) { return add_to(layers_, layer, "layer"); }

const BackendSpec* Registry::backend(std::string_view name) const { return find(backends_, name); }
const LayerSpec* Registry::layer(std::string_view name) const { return find(layers_, name); }

}  // namespace strata
