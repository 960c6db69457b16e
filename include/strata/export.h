// STRATA_API marks what the shared library exports; everything else stays hidden in it.
#pragma once

#define STRATA_API [[gnu::visibility("default")]]
