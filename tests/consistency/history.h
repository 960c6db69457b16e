// Call: one operation on a group of keys as it was recorded: when, what it asked, what it saw.
//
// Every operation of the contract comes down to one shape, applied at one moment between its
// `invoked` and its `returned`: what it saw is so; its conditions are judged; its effects apply.
// A read only sees, a put only has effects, an update sees and has effects.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "consistency/support.h"
#include "strata/batch.h"

namespace strata::consistency {

/// What a call asks of the group's key of this number.
struct Observation {
  std::size_t key;
  std::optional<Stored> seen;
};

struct CallCondition {
  ConditionKind kind;
  std::size_t key;
  Version version;  ///< of `unchanged`
};

struct CallEffect {
  EffectKind kind;  ///< put, remove, patch (an append), delete_range (of the whole group)
  std::size_t key;
  Bytes value;
};

struct Call {
  int thread = 0;
  std::string_view name;
  std::uint64_t invoked = 0;   ///< a ticket that was drawn before the call
  std::uint64_t returned = 0;  ///< and one drawn after it
  std::vector<Observation> seen;
  std::vector<CallCondition> conditions;
  std::vector<CallEffect> effects;
  std::optional<std::size_t> failed;  ///< the condition that was blamed
  Version version;                    ///< of what it wrote
};

/// One line a call, in the order in which they were invoked.
std::string shown(std::span<const Call> calls);

/// What the group holds: for each key its record, and the version of its last change.
struct Register {
  std::optional<Stored> now;
  Version changed;
};
using State = std::vector<Register>;

std::string shown(const State& state);

}  // namespace strata::consistency
