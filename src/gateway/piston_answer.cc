#include "gateway/piston_answer.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

namespace caisson::gateway {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kCompile[] = "compile";
constexpr char kRun[] = "run";
constexpr char kKilled[] = "SIGKILL";

std::string SignalName(int number) {
  const char* name = sigabbrev_np(number);
  return name == nullptr ? "SIG" + std::to_string(number) : std::string("SIG") + name;
}

const v1::StepResult* StepOf(const v1::RunResult& result, std::string_view name) {
  const auto found = std::find_if(result.steps().begin(), result.steps().end(),
                                  [name](const v1::StepResult& step) { return step.step() == name; });
  return found == result.steps().end() ? nullptr : &*found;
}

template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// What ended it, from the outside: Piston then says SIGKILL, whatever the kernel did.
void EndBy(PistonEnd& end, const char* status, const std::string& message) {
  end.code.reset();
  end.signal = kKilled;
  end.status = status;
  end.message = message;
}

// Which of the two was too long is in the counts of the run; a compiler's are its one limit.
void EndByOutput(PistonEnd& end, const v1::RunResult& result, std::string_view step) {
  const bool is_stderr = step == kRun && result.stderr().truncated() && !result.stdout().truncated();
  EndBy(end, is_stderr ? "EL" : "OL", is_stderr ? "stderr length exceeded" : "stdout length exceeded");
}

void EndByItself(PistonEnd& end, const std::string& message) {
  if (end.signal) {
    end.code.reset();
    end.status = "SG";
    end.message = message;
  } else if (end.code.value_or(0) != 0) {
    end.status = "RE";
    end.message = message;
  }
}

Json UsageJson(const v1::Usage& usage, Json json) {
  json["cpu_time"] =
      usage.has_cpu_user_ms() ? Json(usage.cpu_user_ms() + usage.cpu_system_ms()) : Json(nullptr);
  json["wall_time"] = usage.has_wall_time_ms() ? Json(usage.wall_time_ms()) : Json(nullptr);
  json["memory"] = usage.has_memory_peak_bytes() ? Json(usage.memory_peak_bytes()) : Json(nullptr);
  return json;
}

Json StageJson(const RunAnswer& answer, const char* step) {
  const PistonEnd end = PistonEndOf(answer.result(), step);
  Json json;
  json["stdout"] = answer.Bytes(step, v1::STREAM_STDOUT);
  json["stderr"] = answer.Bytes(step, v1::STREAM_STDERR);
  json["output"] = answer.Both(step);
  json["code"] = OrNull(end.code);
  json["signal"] = OrNull(end.signal);
  json["message"] = OrNull(end.message);
  json["status"] = OrNull(end.status);
  return UsageJson(end.usage, std::move(json));
}

}  // namespace

PistonEnd PistonEndOf(const v1::RunResult& result, std::string_view step) {
  const v1::StepResult* part = StepOf(result, step);
  PistonEnd end;
  v1::Verdict verdict = result.verdict();
  if (part != nullptr) {
    verdict = part->verdict();
    end.usage = part->usage();
    end.code = part->has_exit_code() ? std::optional(part->exit_code()) : std::nullopt;
    end.signal = part->has_signal() ? std::optional(SignalName(part->signal())) : std::nullopt;
  }
  const std::string& message = result.message();
  switch (verdict) {
    case v1::COMPLETED:
    case v1::SIGNALED:
    case v1::COMPILE_FAILED:
      EndByItself(end, message);
      break;
    case v1::WALL_TIME_LIMIT:
    case v1::CPU_TIME_LIMIT:
      EndBy(end, "TO", message);
      break;
    case v1::OUTPUT_LIMIT:
      EndByOutput(end, result, step);
      break;
    case v1::MEMORY_LIMIT:
      EndBy(end, "SG", message);
      break;
    case v1::SYSCALL_VIOLATION:
      EndBy(end, "SG", message);
      end.signal = "SIGSYS";
      break;
    default:  // CANCELED, SANDBOX_SETUP_FAILED, SERVICE_FAILED, those of a newer daemon
      EndBy(end, "XX", message);
      break;
  }
  return end;
}

std::string PistonErrorJson(const Problem& problem) {
  const Json json = {{"message", problem.detail}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string PistonAnswerJson(const PistonRuntime& runtime, const RunAnswer& answer) {
  Json json;
  const bool ran = answer.result().verdict() != v1::COMPILE_FAILED;
  if (runtime.compiled) {
    json["compile"] = StageJson(answer, kCompile);
  }
  // Where the program was not started, Piston says of it what it says of the compiler.
  json["run"] = StageJson(answer, ran ? kRun : kCompile);
  json["language"] = runtime.language;
  json["version"] = VersionText(runtime.version);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace caisson::gateway
