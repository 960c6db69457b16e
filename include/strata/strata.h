// All of Strata for a program that embeds it.
#pragma once

#include "strata/backend.h"
#include "strata/batch.h"
#include "strata/bytes.h"
#include "strata/capabilities.h"
#include "strata/engine.h"
#include "strata/record.h"
#include "strata/result.h"
#include "strata/scan.h"
#include "strata/store.h"
#include "strata/verification.h"
#include "strata/version.h"
