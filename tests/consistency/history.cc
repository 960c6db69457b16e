#include "consistency/history.h"

#include <algorithm>

namespace strata::consistency {

namespace {

std::string shown(const std::optional<Stored>& seen) {
  if (!seen) return "absent";
  return brief(seen->value) + "@" + std::to_string(seen->version.value);
}

std::string shown(std::size_t key) { return " k" + std::to_string(key); }

std::string shown(const CallCondition& condition) {
  switch (condition.kind) {
    case ConditionKind::absent:
      return shown(condition.key) + " absent";
    case ConditionKind::present:
      return shown(condition.key) + " present";
    case ConditionKind::unchanged:
      break;
  }
  return shown(condition.key) + "@" + std::to_string(condition.version.value);
}

std::string shown(const CallEffect& effect) {
  switch (effect.kind) {
    case EffectKind::put:
      return shown(effect.key) + ":=" + brief(effect.value);
    case EffectKind::patch:
      return shown(effect.key) + "+=" + brief(effect.value);
    case EffectKind::delete_range:
      return " all removed";
    case EffectKind::remove:
    case EffectKind::expire:
      break;
  }
  return shown(effect.key) + " removed";
}

std::string shown(const Call& call) {
  std::string line = "  [" + std::to_string(call.invoked) + "," + std::to_string(call.returned) +
                     "] thread " + std::to_string(call.thread) + " " + std::string(call.name);
  for (const Observation& one : call.seen) line += shown(one.key) + "=" + shown(one.seen);
  for (const CallCondition& condition : call.conditions) line += " if" + shown(condition);
  for (const CallEffect& effect : call.effects) line += shown(effect);
  if (call.failed) return line + " -> refused by condition " + std::to_string(*call.failed) + "\n";
  if (!call.effects.empty()) line += " -> " + std::to_string(call.version.value);
  return line + "\n";
}

}  // namespace

std::string shown(std::span<const Call> calls) {
  std::vector<const Call*> ordered;
  for (const Call& call : calls) ordered.push_back(&call);
  std::ranges::sort(ordered, {}, &Call::invoked);
  std::string text;
  for (const Call* call : ordered) text += shown(*call);
  return text;
}

std::string shown(const State& state) {
  std::string text = "  before:";
  for (std::size_t key = 0; key < state.size(); ++key) {
    text += shown(key) + "=" + shown(state[key].now);
  }
  return text + "\n";
}

}  // namespace strata::consistency
