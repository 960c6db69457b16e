#include "report.h"

#include <fmt/format.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

#include "base/clock.h"

namespace strata::bench {

namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "g++ " __VERSION__;
#endif

std::string first_line_of(const std::string& command) {
  std::string line;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    std::array<char, 256> buffer;
    if (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) line = buffer.data();
    ::pclose(pipe);
  }
  return line.substr(0, line.find('\n'));
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

std::size_t place_of(std::vector<std::string>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.emplace_back(name);
  return names.size() - 1;
}

std::string rounded(double figure) {
  if (figure >= 100) return fmt::format("{:.0f}", figure);
  return fmt::format("{:.{}f}", figure, figure >= 10 ? 1 : figure >= 1 || figure == 0 ? 2 : 3);
}

}  // namespace

void print_machine() {
  utsname system{};
  ::uname(&system);
  fmt::print("commit {}; {}; {} x {}; Linux {}\n",
             first_line_of("git -C " STRATA_SOURCE_DIR " describe --always --dirty 2>/dev/null"),
             kCompiler, std::thread::hardware_concurrency(), cpu_name(), system.release);
}

double seconds_since(std::int64_t start_ns) {
  return static_cast<double>(base::system_clock().monotonic_ns() - start_ns) / 1e9;
}

Table::Cell& Table::cell(std::string_view row, std::string_view column) {
  const std::size_t row_place = place_of(rows_, row);
  const std::size_t column_place = place_of(columns_, column);
  if (cells_.size() <= row_place) cells_.resize(row_place + 1);
  std::vector<Cell>& cells = cells_[row_place];
  if (cells.size() <= column_place) cells.resize(column_place + 1);
  return cells[column_place];
}

void Table::add(std::string_view row, std::string_view column, double figure) {
  cell(row, column).figures.push_back(figure);
}

void Table::say(std::string_view row, std::string_view column, std::string text) {
  cell(row, column).text = std::move(text);
}

std::string Table::shown(const Cell& cell) {
  if (cell.figures.empty()) return cell.text;
  std::vector<double> figures = cell.figures;
  std::ranges::sort(figures);
  const double median = figures[figures.size() / 2];
  if (figures.size() == 1 || median == 0) return rounded(median);
  const double spread = (figures.back() - figures.front()) / 2 / median * 100;
  return fmt::format("{} ±{:.0f} %", rounded(median), spread);
}

void Table::print() const {
  fmt::print("| {} |", corner_);
  for (const std::string& column : columns_) fmt::print(" {} |", column);
  fmt::print("\n|:--|");
  for (std::size_t i = 0; i < columns_.size(); ++i) fmt::print("--:|");
  fmt::print("\n");
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    fmt::print("| {} |", rows_[row]);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      fmt::print(" {} |", i < cells_[row].size() ? shown(cells_[row][i]) : "");
    }
    fmt::print("\n");
  }
  fmt::print("\n");
}

}  // namespace strata::bench
