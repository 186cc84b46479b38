// The picture `caisson top` draws: pure. Names in it are the server's and other clients' words.
#ifndef CAISSON_CLI_TOP_TEXT_H_
#define CAISSON_CLI_TOP_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "cli/terminal.h"

namespace caisson::cli {

// One look at the server.
struct TopView {
  std::string address;
  v1::ServerInfo info;
  std::vector<v1::Run> runs;  // live ones
  std::string trouble;        // why the last look failed, and this one is an old one; empty: it did not
};

// Lines that end with '\n': the server and what it has room for, one line for each tenant with live runs,
// then the runs, those that have been there for longest first. No wider and no higher than `size`; 0 by 0: as
// much as there is. `now_seconds` as time(2).
std::string TopText(const TopView& view, int64_t now_seconds, TerminalSize size);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TOP_TEXT_H_
