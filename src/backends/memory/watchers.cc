#include "backends/memory/watchers.h"

namespace strata::backends::memory {

class Watchers::Handle final : public WatchHandle {
 public:
  Handle(std::shared_ptr<State> state, std::list<Entry>::iterator entry)
      : state_(std::move(state)), entry_(entry) {}
  ~Handle() override {
    const base::MutexLock lock(state_->mutex);
    state_->entries.erase(entry_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  std::shared_ptr<State> state_;
  std::list<Entry>::iterator entry_;
};

std::unique_ptr<WatchHandle> Watchers::add(const Range& range, Watch::Listener listener) {
  const base::MutexLock lock(state_->mutex);
  state_->entries.push_back({range, std::move(listener)});
  return std::make_unique<Handle>(state_, std::prev(state_->entries.end()));
}

void Watchers::tell(const std::vector<Touched>& touched) {
  if (touched.empty()) return;
  State& state = *state_;
  const base::MutexLock lock(state.mutex);
  for (const Entry& entry : state.entries) {
    for (const Touched& change : touched) {
      if (change.space != entry.range.space) continue;
      if (change.whole) {
        entry.listener({change.space, {}}, true);
      } else if (entry.range.contains(change.key)) {
        entry.listener({change.space, change.key}, false);
      }
    }
  }
}

void Watchers::tell_all() {
  State& state = *state_;
  const base::MutexLock lock(state.mutex);
  for (const Entry& entry : state.entries) entry.listener({entry.range.space, {}}, true);
}

}  // namespace strata::backends::memory
