// Any bytes as a configuration: checked and shown, or refused with one line that names the file.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "stack/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;
  static const Registry registry = Registry::builtin();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Config> config = Config::parse(text, "strata.toml", registry);
  if (config) {
    STRATA_CHECK(!config->state().show().empty());
    return 0;
  }
  const std::string message = config.error().to_string();
  STRATA_CHECK(config.error().code() == Code::invalid_argument);
  STRATA_CHECK(message.starts_with("strata.toml:"));
  STRATA_CHECK(message.find('\n') == std::string::npos);
  return 0;
}
