// SimFile: an open file of the simulated machine.
//
// Threads: as File; what it points to is under the machine's mutex.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "io/sim_machine.h"

namespace strata::io {

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimMachine> machine, SimNodePtr node, std::string path,
          std::uint64_t boot, bool writable);
  Result<std::size_t> pread(std::uint64_t offset, std::span<char> to) override;
  Result<> pwrite(std::uint64_t offset, BytesView bytes) override;
  Result<> append(BytesView bytes) override;
  Result<> sync() override;
  Result<> truncate(std::uint64_t bytes) override;
  Result<> allocate(std::uint64_t bytes) override;
  Result<std::uint64_t> size() override;
  Result<> close() override;
  const std::string& path() const noexcept override { return path_; }

 private:
  Result<SimTicket> admit(const SimCallTraits& traits);
  Result<> go_on(const SimTicket& ticket) const STRATA_REQUIRES(machine_->mutex);
  Result<> write(const SimTicket& ticket, std::uint64_t offset, BytesView bytes)
      STRATA_REQUIRES(machine_->mutex);
  Result<> resize(const SimTicket& ticket, std::uint64_t bytes) STRATA_REQUIRES(machine_->mutex);
  void changed() STRATA_REQUIRES(machine_->mutex);

  const std::shared_ptr<SimMachine> machine_;
  const SimNodePtr node_;
  const std::string path_;
  const std::uint64_t boot_;
  const bool writable_;
  std::atomic<bool> closed_{false};  // relaxed: close() is the last call by contract
  std::uint64_t end_ STRATA_GUARDED_BY(machine_->mutex);
};

}  // namespace strata::io
