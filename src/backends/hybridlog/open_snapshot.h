// OpenSnapshot: a snapshot that somebody holds: one pin of the clock.
//
// Threads: any may read it; it is ended by one. After its engine closed it is no snapshot any more.
#pragma once

#include <optional>

#include "backends/hybridlog/hybridlog_engine.h"

namespace strata::backends::hybridlog {

class OpenSnapshot final : public Snapshot {
 public:
  explicit OpenSnapshot(HybridlogEngine& engine) : engine_(engine) {}
  ~OpenSnapshot() override { engine_.release(*this); }
  OpenSnapshot(const OpenSnapshot&) = delete;
  OpenSnapshot& operator=(const OpenSnapshot&) = delete;

  Version version() const noexcept override { return Version{sight_.version}; }
  std::int64_t time_ms() const noexcept override { return sight_.time_ms; }

  void attach(VersionClock& clock, const VersionClock::Pin& pin, std::int64_t time_ms) {
    clock_ = &clock;
    pin_ = pin;
    sight_ = {pin.version, time_ms};
  }
  /// The engine's lock on its snapshots is held.
  void detach() {
    if (clock_ != nullptr) clock_->end(pin_);
    clock_ = nullptr;
  }
  bool attached() const noexcept { return clock_ != nullptr; }
  const Sight& sight() const noexcept { return sight_; }
  const HybridlogEngine& engine() const noexcept { return engine_; }

 private:
  HybridlogEngine& engine_;
  VersionClock* clock_ = nullptr;
  VersionClock::Pin pin_{};
  Sight sight_;
};

}  // namespace strata::backends::hybridlog
