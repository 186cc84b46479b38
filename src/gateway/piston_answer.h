// How a run ended, in Piston's words. docs/piston.md has the map. Pure. Untrusted: the program's output.
#ifndef CAISSON_GATEWAY_PISTON_ANSWER_H_
#define CAISSON_GATEWAY_PISTON_ANSWER_H_

#include <optional>
#include <string>
#include <string_view>

#include "caisson/v1/run.pb.h"
#include "gateway/piston_runtime.h"
#include "gateway/problem.h"
#include "gateway/run_answer.h"

namespace caisson::gateway {

struct PistonEnd {
  std::optional<int> code;             // null beside a signal
  std::optional<std::string> signal;   // "SIGKILL"
  std::optional<std::string> status;   // "RE", "SG", "TO", "OL", "EL", "XX"; none after exit code 0
  std::optional<std::string> message;  // for people; none without a status
  v1::Usage usage;
};

// Of the step "compile" or "run".
PistonEnd PistonEndOf(const v1::RunResult& result, std::string_view step);

// {"message": …}, the body of every answer that is an error.
std::string PistonErrorJson(const Problem& problem);

// The answer to POST /api/v2/execute.
std::string PistonAnswerJson(const PistonRuntime& runtime, const RunAnswer& answer);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PISTON_ANSWER_H_
