// Progress: how far long work has come: a line redrawn on a terminal, a line now and then to a
// pipe, objects with --json.
//
// Always: nothing of it goes to stdout but the objects of --json, and not even those where stdout
//         carries data.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/clock.h"

namespace strata::cli {

class Progress {
 public:
  /// `verb`: "importing"; `bytes_total` 0: unknown.
  Progress(std::string verb, std::uint64_t bytes_total, bool json, bool stdout_is_data);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// What has been done in all, earlier runs included. Call it often.
  void step(std::uint64_t bytes, std::uint64_t records);
  /// Known only now, or better than before.
  void set_total(std::uint64_t bytes) { bytes_total_ = bytes; }
  /// How much of it earlier runs did, for the speed.
  void started_at(std::uint64_t bytes) { bytes_before_ = bytes; }
  /// Wipes the line on a terminal.
  void end();
  std::int64_t elapsed_ms() const;

 private:
  std::string line(std::uint64_t bytes, std::uint64_t records) const;
  std::string object(std::uint64_t bytes, std::uint64_t records) const;

  const std::string verb_;
  std::uint64_t bytes_total_;
  const bool json_;
  std::FILE* const to_;
  const bool terminal_;
  std::uint64_t bytes_before_ = 0;
  std::int64_t started_ms_;
  std::int64_t shown_ms_;
  bool drawn_ = false;
};

}  // namespace strata::cli
