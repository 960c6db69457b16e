// stats, config check, config show, version: what there is, without changing it.
#pragma once

#include <string>

#include "cli/context.h"

namespace strata::cli {

Result<ExitCode> run_stats(Context& context);
/// Of a file, or of all sources where `file` is empty.
Result<ExitCode> run_config_check(Context& context, const std::string& file);
Result<ExitCode> run_config_show(Context& context, bool origin);
Result<ExitCode> run_version(Context& context);
/// Version, formats, and what is built in: of `strata --version`, too.
std::string version_text();

}  // namespace strata::cli
