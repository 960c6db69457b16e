// Verifying a store: by its backend's own way, or record by record.
#include "contract/verify.h"

#include "base/clock.h"
#include "base/quote.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "stack/config.h"
#include "stack/store_file.h"
#include "stack/store_state.h"
#include "strata/store.h"

namespace strata {

Result<Verification> verify(const Config& config, VerifyProgress progress,
                            const Registry& registry) {
  const std::string& folder = config.state().section("storage").values.text("data");
  Verification found;
  const auto store = stack::read_store_file(io::posix(), folder);
  if (!store) {
    STRATA_TRY(found.note(store.error()));
    return found;
  }
  if (!*store || (*store)->state != stack::StoreState::ready) {
    return Error(Code::invalid_argument, "there is no store in " + base::quote(folder, 512));
  }
  const BackendSpec* const backend = registry.backend((*store)->backend);
  if (backend != nullptr && backend->verify != nullptr) {
    const Environment environment{.files = io::posix(),
                                  .clock = base::system_clock(),
                                  .folder = io::join_path(folder, stack::kEngineFolderName),
                                  .read_only = true,
                                  .create = false};
    STRATA_TRY(backend->verify(environment, found, progress));
    return found;
  }
  OpenOptions options;
  options.read_only = true;
  options.create = false;
  const auto opened = open(config, options, registry);
  if (!opened) {
    STRATA_TRY(found.note(opened.error()));
    return found;
  }
  STRATA_TRY(contract::verify_records((*opened)->engine(), found, progress));
  return found;
}

}  // namespace strata
