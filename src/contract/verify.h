// Verifying over the contract alone: for backends with no way of their own.
#pragma once

#include "strata/engine.h"
#include "strata/verification.h"

namespace strata::contract {

/// Reads every record of every keyspace. Behind a record that is damaged the rest of its keyspace
/// is not looked at: no engine says where that goes on.
Result<> verify_records(Engine& engine, Verification& to, VerifyProgress progress);

}  // namespace strata::contract
