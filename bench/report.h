// What every benchmark prints: the machine it ran on, and Markdown tables of medians.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strata::bench {

/// One line: commit, compiler, processors, kernel.
void print_machine();

double seconds_since(std::int64_t start_ns);

/// A table whose rows and columns stand in the order in which they first came.
class Table {
 public:
  explicit Table(std::string corner) : corner_(std::move(corner)) {}

  /// One round's figure of a cell.
  void add(std::string_view row, std::string_view column, double figure);
  /// A cell that is no figure.
  void say(std::string_view row, std::string_view column, std::string text);
  /// The median of each cell, and half the distance of its rounds in percent, if there were some.
  void print() const;

 private:
  struct Cell {
    std::vector<double> figures;
    std::string text;
  };
  Cell& cell(std::string_view row, std::string_view column);
  static std::string shown(const Cell& cell);

  std::string corner_;
  std::vector<std::string> rows_;
  std::vector<std::string> columns_;
  std::vector<std::vector<Cell>> cells_;  ///< by row; a row may be shorter than columns_
};

}  // namespace strata::bench
