#include "cli/verify_command.h"

#include "base/parse.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace strata::cli {

namespace {

std::string json_of(const Verification& found) {
  std::string text = "{\"summary\":\"verified\",\"records\":" + std::to_string(found.records) +
                     ",\"bytes\":" + std::to_string(found.bytes) +
                     ",\"damaged\":" + std::to_string(found.damaged) + ",\"damage\":[";
  for (const std::string& place : found.damage) {
    if (&place != &found.damage.front()) text += ',';
    append_json_string(text, place);
  }
  return text + "]}\n";
}

}  // namespace

Result<ExitCode> run_verify(Context& context) {
  const Registry registry = Registry::builtin();
  STRATA_LET(const Config config, context.configuration(registry));
  Progress progress("verifying", 0, context.common.json, false);
  const Result<Verification> done = verify(
      config,
      [&](const Verification& so_far, std::uint64_t total) {
        progress.set_total(total);
        progress.step(so_far.bytes, so_far.records);
      },
      registry);
  progress.end();
  if (!done) {
    STRATA_LET(const bool there, context.store_is_there());
    if (there) return done.error();
    complain(done.error().message());
    return ExitCode::not_found;
  }
  const Verification& found = *done;
  if (context.common.json) {
    print(stdout, json_of(found));
  } else {
    for (const std::string& place : found.damage) complain(place);
    print(stdout, "read " + std::to_string(found.records) + " records (" +
                      base::human_size(found.bytes) + ") in " +
                      base::human_duration_ms(progress.elapsed_ms()) + ": " +
                      (found.whole() ? std::string("all of it is whole")
                                     : std::to_string(found.damaged) + " places are damaged") +
                      "\n");
  }
  return found.whole() ? ExitCode::ok : ExitCode::corruption;
}

}  // namespace strata::cli
