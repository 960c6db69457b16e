// How a distributed transactional store would stand behind the contract: keys of 10 KB, values of
// 100 KB, transactions of 10 MB and 5 seconds; the version is known only after the commit (the
// store stamps it into the record); a commit may end without anybody knowing how.
#include <strata/strata.h>

namespace strata::sketch::distributed {

class Session;  // a transaction of the store
enum class Outcome : std::uint8_t { committed, conflict, unknown };
struct Finished {
  Outcome outcome;
  Version version;
};
Result<std::optional<Version>> version_of(Session& session, const KeyRef& key);
void set_stamped(Session& session, const KeyRef& key,
                 const Effect& effect);  // the store adds the version
void clear_range(Session& session, Keyspace space, BytesView begin, BytesView end);
Finished finish(Session& session);

Limits limits() {
  Limits limits;
  limits.key_bytes_max = 10'000 - sizeof(std::uint32_t);  // the keyspace stands in front
  limits.value_bytes_max = 100'000;
  limits.batch_bytes_max = 10'000'000;
  limits.snapshot_ms_max = 5'000;
  return limits;
}

bool holds(const Condition& condition, std::optional<Version> version) {
  if (condition.kind == ConditionKind::absent) return !version;
  if (condition.kind == ConditionKind::present) return version.has_value();
  return version.value_or(Version{}) == condition.version;
}

// Reading a version within the transaction makes it part of the store's own conflict check.
Result<Commit> commit(FunctionRef<Session&()> begin, const WriteBatch& batch) {
  while (true) {
    Session& session = begin();
    for (std::size_t i = 0; i < batch.conditions().size(); ++i) {
      STRATA_LET(const std::optional<Version> version,
                 version_of(session, batch.conditions()[i].key));
      if (!holds(batch.conditions()[i], version)) return Commit{{}, i};
    }
    for (const Effect& effect : batch.effects()) {
      if (effect.kind == EffectKind::delete_range) {
        clear_range(session, effect.key.space, effect.key.key, effect.value);
      } else {
        set_stamped(session, effect.key, effect);
      }
    }
    const Finished finished = finish(session);
    if (finished.outcome == Outcome::committed) return Commit{finished.version, {}};
    if (finished.outcome == Outcome::unknown) {
      return Error(Code::unavailable, "the commit's outcome is unknown");
    }
  }
}

}  // namespace strata::sketch::distributed
