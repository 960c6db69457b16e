#include "consistency/checker.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/check.h"

namespace strata::consistency {

namespace {

bool holds(const CallCondition& condition, const State& state) {
  const std::optional<Stored>& now = state[condition.key].now;
  switch (condition.kind) {
    case ConditionKind::absent:
      return !now;
    case ConditionKind::present:
      return now.has_value();
    case ConditionKind::unchanged:
      break;
  }
  return (now ? now->version : Version{}) == condition.version;
}

/// Applies the effects of one call. One that neither found nor left a record has changed nothing,
/// whatever it did between.
class Application {
 public:
  Application(const Call& call, State& state)
      : version_(call.version), before_(state), state_(state), touched_(state.size()) {}

  void apply(const CallEffect& effect) {
    switch (effect.kind) {
      case EffectKind::put:
        return write(effect.key, effect.value);
      case EffectKind::patch: {
        const std::optional<Stored>& now = state_[effect.key].now;
        return write(effect.key, (now ? now->value : Bytes{}) + effect.value);
      }
      case EffectKind::remove:
        return remove(effect.key);
      case EffectKind::delete_range:
        for (std::size_t key = 0; key < state_.size(); ++key) remove(key);
        return;
      case EffectKind::expire:
        break;
    }
    STRATA_CHECK(false);  // the histories have no such effect
  }

  /// Whether the version rises for each key that was changed.
  bool rises(Removals removals) {
    for (std::size_t key = 0; key < state_.size(); ++key) {
      const Register& before = before_[key];
      Register& after = state_[key];
      if (!touched_[key] || (!before.now && !after.now)) continue;
      if (!after.now && removals == Removals::unordered) continue;
      if (version_ <= before.changed) return false;
      after.changed = version_;
    }
    return true;
  }

 private:
  void write(std::size_t key, Bytes value) {
    state_[key].now = Stored{std::move(value), version_};
    touched_[key] = true;
  }
  void remove(std::size_t key) {
    if (!state_[key].now) return;
    state_[key].now.reset();
    touched_[key] = true;
  }

  const Version version_;
  const State before_;
  State& state_;
  std::vector<bool> touched_;
};

/// The state after the call, if what it saw and was told fits the state before it.
bool step(const Call& call, Removals removals, State& state) {
  for (const Observation& one : call.seen) {
    if (state[one.key].now != one.seen) return false;
  }
  const auto broken = std::ranges::find_if_not(
      call.conditions, [&](const CallCondition& condition) { return holds(condition, state); });
  if (broken != call.conditions.end()) {
    return call.failed == static_cast<std::size_t>(broken - call.conditions.begin());
  }
  if (call.failed) return false;
  Application application(call, state);
  for (const CallEffect& effect : call.effects) application.apply(effect);
  return application.rises(removals);
}

class Search {
 public:
  Search(std::span<const Call> calls, Removals removals) : calls_(calls), removals_(removals) {
    STRATA_CHECK(calls.size() <= kCallsMax);
  }

  /// Whether the calls that are not in `done` can follow.
  bool from(std::uint64_t done, const State& state) {
    std::uint64_t first_return = UINT64_MAX;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (!in(done, i)) first_return = std::min(first_return, calls_[i].returned);
    }
    if (first_return == UINT64_MAX) return true;
    if (!tried_.insert(name_of(done, state)).second) return false;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      // A call that began after another had returned cannot come before it.
      if (in(done, i) || calls_[i].invoked > first_return) continue;
      State next = state;
      if (step(calls_[i], removals_, next) && from(done | std::uint64_t{1} << i, next)) return true;
    }
    return false;
  }

 private:
  static bool in(std::uint64_t done, std::size_t i) { return (done >> i & 1) != 0; }

  static std::string name_of(std::uint64_t done, const State& state) {
    std::string name = std::to_string(done);
    for (const Register& key : state) {
      name += '/' + std::to_string(key.changed.value);
      if (!key.now) continue;
      name += ':' + std::to_string(key.now->version.value) + ':' +
              std::to_string(key.now->value.size()) + ':' + key.now->value;
    }
    return name;
  }

  std::span<const Call> calls_;
  Removals removals_;
  std::unordered_set<std::string> tried_;
};

}  // namespace

bool linearizable(std::span<const Call> calls, const State& start, Removals removals) {
  return Search(calls, removals).from(0, start);
}

}  // namespace strata::consistency
