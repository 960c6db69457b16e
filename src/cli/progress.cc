#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>

#include "base/parse.h"
#include "cli/text.h"

namespace strata::cli {

namespace {
constexpr std::int64_t kTerminalMs = 200;
constexpr std::int64_t kJsonMs = 1000;
constexpr std::int64_t kPipeMs = 10'000;
constexpr std::size_t kBarCells = 24;
}  // namespace

Progress::Progress(std::string verb, std::uint64_t bytes_total, bool json, bool stdout_is_data)
    : verb_(std::move(verb)),
      bytes_total_(bytes_total),
      json_(json),
      to_(json && !stdout_is_data ? stdout : stderr),
      terminal_(!json && ::isatty(::fileno(stderr)) == 1),
      started_ms_(base::system_clock().monotonic_ms()),
      shown_ms_(started_ms_) {}

Progress::~Progress() { end(); }

std::int64_t Progress::elapsed_ms() const {
  return base::system_clock().monotonic_ms() - started_ms_;
}

void Progress::step(std::uint64_t bytes, std::uint64_t records) {
  const std::int64_t now = base::system_clock().monotonic_ms();
  const std::int64_t every = json_ ? kJsonMs : terminal_ ? kTerminalMs : kPipeMs;
  if (now - shown_ms_ < every) return;
  shown_ms_ = now;
  if (json_) {
    print(to_, object(bytes, records));
  } else {
    print(to_, (terminal_ ? "\r\x1b[K" : "") + line(bytes, records) + (terminal_ ? "" : "\n"));
    drawn_ = terminal_;
  }
  static_cast<void>(std::fflush(to_));
}

std::string Progress::line(std::uint64_t bytes, std::uint64_t records) const {
  std::string text = verb_;
  if (bytes_total_ != 0) {
    const std::uint64_t done = std::min(bytes, bytes_total_);
    const auto share = static_cast<std::size_t>(done * kBarCells / bytes_total_);
    text += " [" + std::string(share, '#') + std::string(kBarCells - share, '.') + "] " +
            std::to_string(done * 100 / bytes_total_) + "%";
  }
  const std::int64_t ms = std::max<std::int64_t>(elapsed_ms(), 1);
  const std::uint64_t here = bytes - std::min(bytes, bytes_before_);
  const std::uint64_t per_second = here * 1000 / static_cast<std::uint64_t>(ms);
  text += "  " + std::to_string(records) + " records  " + base::human_size(bytes) + "  " +
          base::human_size(per_second) + "/s  " + base::human_duration_ms(ms);
  if (bytes_total_ > bytes && per_second > 0) {
    const std::uint64_t left_ms = (bytes_total_ - bytes) / per_second * 1000;
    text += "  left " + base::human_duration_ms(static_cast<std::int64_t>(left_ms));
  }
  return text;
}

std::string Progress::object(std::uint64_t bytes, std::uint64_t records) const {
  return "{\"status\":\"" + verb_ + "\",\"bytes\":" + std::to_string(bytes) +
         ",\"bytes_total\":" + std::to_string(bytes_total_) +
         ",\"records\":" + std::to_string(records) +
         ",\"elapsed_ms\":" + std::to_string(elapsed_ms()) + "}\n";
}

void Progress::end() {
  if (drawn_) print(to_, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace strata::cli
