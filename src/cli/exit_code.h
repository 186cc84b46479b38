// What `caisson run` exits with. Pure. The numbers are part of the command line's contract
// (docs/man/caisson.1.md).
#ifndef CAISSON_CLI_EXIT_CODE_H_
#define CAISSON_CLI_EXIT_CODE_H_

#include "caisson/v1/run.pb.h"

namespace caisson::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitCompileFailed = 1;
inline constexpr int kExitFindings = 1;  // profile lint
inline constexpr int kExitUsage = 2;
inline constexpr int kExitLimit = 124;
inline constexpr int kExitService = 125;  // Caisson failed, refused or is not there
inline constexpr int kExitCanceled = 130;
inline constexpr int kExitViolation = 159;  // 128 + SIGSYS
inline constexpr int kExitSignalBase = 128;

// The exit code for a run that ended with `result`. A verdict this program does not know, or one that lacks
// what it promises (COMPLETED without an exit code, or with one that no process has), is kExitService: never
// a success.
int ExitCodeFor(const v1::RunResult& result);

// Whether the result has the exit code or the signal that its verdict promises, and one that a process can
// have.
bool HasItsEnd(const v1::RunResult& result);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_EXIT_CODE_H_
