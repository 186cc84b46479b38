// What `caisson run` says on stderr about a run that did not simply exit. Pure.
#ifndef CAISSON_CLI_RESULT_TEXT_H_
#define CAISSON_CLI_RESULT_TEXT_H_

#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"

namespace caisson::cli {

// Lines without the program's name and newline, for example "stopped: wall time limit: 1000 ms". Empty for a
// run that exited by itself with nothing to say: exit code 0, no output cut.
std::vector<std::string> ResultLines(const v1::RunResult& result);

// The name of the API, or "unknown (99)": a newer server may know more.
std::string VerdictText(v1::Verdict verdict);
std::string StateText(v1::Run::State state);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_RESULT_TEXT_H_
