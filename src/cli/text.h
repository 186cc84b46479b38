// Small text helpers: quantities for people, and making foreign text safe to print on a terminal. Pure.
#ifndef CAISSON_CLI_TEXT_H_
#define CAISSON_CLI_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::cli {

// `text`, its first `max_bytes` at most, so that what a server or a program chose can neither forge a line
// nor drive the terminal: control characters (newlines and escape sequences among them) and bytes that are no
// UTF-8 are \xNN; what reorders a line or cannot be seen (bidirectional controls, zero-width characters,
// separators of lines), and C1 controls, \uNNNN or \UNNNNNNNN. Up to five times as long as `max_bytes`.
std::string Printable(std::string_view text, size_t max_bytes = 2048);

// 268435456 → "256 MiB"; not a whole number of a unit → "1000000 bytes".
std::string BytesText(uint64_t bytes);

// Seconds as "12 s", "3 min", "2 h", "5 d": the largest unit that leaves a whole number of at least 1.
std::string AgeText(int64_t seconds);

// The age at `now` of what was made at `then`, whatever the two are.
std::string AgeBetween(int64_t now, int64_t then);

// Of a cell with foreign text in a table: every row is padded to the longest.
inline constexpr size_t kMaxCellBytes = 128;

// "a, b and c"; "" for none.
std::string JoinNames(const std::vector<std::string>& names);

// Columns padded to their widest cell, two spaces between; the last column is not padded. Each row ends with
// '\n'.
std::string TableText(const std::vector<std::vector<std::string>>& rows);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TEXT_H_
