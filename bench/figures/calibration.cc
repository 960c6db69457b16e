// Random reads of 64-byte lines: by one chain, each of which waits for the one before, and by 16
// chains that overlap. So two machines' figures can be compared.
#include <fmt/format.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "base/clock.h"
#include "base/parse.h"
#include "base/random.h"
#include "figures/settings.h"
#include "must.h"
#include "report.h"

namespace strata::bench {

namespace {

struct alignas(64) Line {
  std::uint64_t number;
  std::uint64_t next;
};

class Lines {
 public:
  explicit Lines(std::uint64_t bytes) : bytes_(std::bit_floor(bytes)) {
    at_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at_ == MAP_FAILED) give_up("no memory for the calibration");
    // Huge pages where the system has them: what is measured is memory, not its page table.
    ::madvise(at_, bytes_, MADV_HUGEPAGE);
    base::Random random(1);
    for (std::uint64_t i = 0; Line & line : lines()) line = {i++, random.next()};
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { ::munmap(at_, bytes_); }

  std::span<Line> lines() const { return {static_cast<Line*>(at_), bytes_ / sizeof(Line)}; }

 private:
  std::uint64_t bytes_;
  void* at_;
};

/// Nanoseconds a read. Each step adds its own count, so that no chain falls into a short circle.
template <std::size_t kChains>
double read_chains(std::span<const Line> lines, std::int64_t run_ms) {
  constexpr std::uint64_t kStepsPerLook = 10'000;
  const std::uint64_t mask = lines.size() - 1;
  std::array<std::uint64_t, kChains> at{};
  for (std::size_t c = 0; c < kChains; ++c) at[c] = base::mix64(c) & mask;
  std::uint64_t steps = 0;
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  while (seconds_since(start_ns) * 1000 < static_cast<double>(run_ms)) {
    for (std::uint64_t end = steps + kStepsPerLook; steps < end; ++steps) {
      for (std::uint64_t& place : at) {
        const Line& line = lines[place];
        if (line.number != place) [[unlikely]] {
          give_up("memory gave something else than was written");
        }
        place = (line.next + steps) & mask;
      }
    }
  }
  return seconds_since(start_ns) * 1e9 / static_cast<double>(steps * kChains);
}

}  // namespace

void run_calibration(const Settings& settings) {
  const Lines lines(settings.calibration_bytes);
  fmt::print("## Calibration: random 64-byte reads over {}\n\n",
             base::human_size(lines.lines().size_bytes()));
  Table table("ns a read");
  for (unsigned round = 0; round < settings.rounds; ++round) {
    table.add("memory", "one chain", read_chains<1>(lines.lines(), settings.run_ms));
    table.add("memory", "16 chains", read_chains<16>(lines.lines(), settings.run_ms));
  }
  table.print();
}

}  // namespace strata::bench
