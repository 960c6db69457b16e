// Store: an engine, its lock, and short forms.
#include "strata/store.h"

#include "contract/keyspaces.h"
#include "stack/store_state.h"

namespace strata {

namespace {

constexpr std::string_view kShortFormName = "db0";

/// The keyspace of the short forms; nothing where a read-only store has none.
Result<std::optional<Keyspace>> short_form_space(Store::State& state) {
  const std::uint32_t known = state.db0.load(std::memory_order_relaxed);
  if (known != 0) return std::optional(Keyspace{known});
  Keyspaces keyspaces(*state.engine);
  std::optional<Keyspace> space;
  if (state.read_only) {
    STRATA_LET(space, keyspaces.find(kShortFormName));
  } else {
    STRATA_LET(space, keyspaces.find_or_make(kShortFormName));
  }
  if (space) state.db0.store(static_cast<std::uint32_t>(*space), std::memory_order_relaxed);
  return space;
}

/// For writes: the engine itself refuses them where the store is read-only.
Result<Keyspace> writable_space(Store::State& state) {
  STRATA_LET(const std::optional<Keyspace> space, short_form_space(state));
  if (space) return *space;
  return Error(Code::not_supported, "the store is open read-only: it takes no writes");
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() {
  // Cannot report; close() does for who asks.
  const Result<> closed = close();
  static_cast<void>(closed);
}

Engine& Store::engine() noexcept { return *state_->engine; }

Result<Keyspace> Store::keyspace(std::string_view name) {
  Keyspaces keyspaces(*state_->engine);
  if (!state_->read_only) return keyspaces.find_or_make(name);
  STRATA_LET(const std::optional<Keyspace> found, keyspaces.find(name));
  if (found) return *found;
  return Error(Code::not_supported, "the store is open read-only: it makes no keyspace");
}

const std::string& Store::folder() const noexcept { return state_->folder; }

Result<> Store::close() {
  if (state_->closed) return {};
  state_->closed = true;
  const Result<> closed = state_->engine->close();
  state_->lock.reset();
  return closed;
}

Result<std::optional<Bytes>> Store::get(BytesView key) {
  Value value;
  STRATA_LET(const std::optional<RecordInfo> info, get(key, value));
  if (!info) return std::optional<Bytes>();
  return std::optional(value.to_bytes());
}

Result<std::optional<RecordInfo>> Store::get(BytesView key, Value& value) {
  STRATA_LET(const std::optional<Keyspace> space, short_form_space(*state_));
  if (space) return state_->engine->get({*space, key}, value);
  value.clear();
  return std::optional<RecordInfo>();
}

Result<Version> Store::put(BytesView key, BytesView value, const RecordAttributes& attributes) {
  STRATA_LET(const Keyspace space, writable_space(*state_));
  return state_->engine->put({space, key}, value, attributes);
}

Result<Version> Store::remove(BytesView key) {
  STRATA_LET(const Keyspace space, writable_space(*state_));
  return state_->engine->remove({space, key});
}

Result<bool> Store::exists(BytesView key) {
  STRATA_LET(const std::optional<Keyspace> space, short_form_space(*state_));
  if (!space) return false;
  return state_->engine->exists({*space, key});
}

}  // namespace strata
