// Fuzzes what reads a client's JSON in the gateway: bodies of runs, messages of a WebSocket, Piston's jobs
// and its ranges of versions. The first byte chooses which.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "common/utf8.h"
#include "gateway/event_json.h"
#include "gateway/json_reader.h"
#include "gateway/piston_request.h"
#include "gateway/piston_runtime.h"
#include "gateway/request_json.h"
#include "gateway/version_range.h"

namespace {

using caisson::gateway::IsInRange;
using caisson::gateway::ParseJson;
using caisson::gateway::ParsePistonJob;
using caisson::gateway::ParsePistonStdin;
using caisson::gateway::PistonJob;
using caisson::gateway::PistonRuntime;
using caisson::gateway::Problem;
namespace v1 = caisson::v1;

constexpr uint64_t kCeiling = 300'000;

// A refusal can always be told: as one object of JSON, with a reason, and nothing in it that is not text.
void CheckProblem(const Problem& problem) {
  CAISSON_CHECK(problem.http >= 400 && problem.http < 500);
  CAISSON_CHECK(!problem.reason.empty() && !problem.detail.empty());
  const std::string text = caisson::gateway::ProblemJson(problem, "r");
  CAISSON_CHECK(caisson::IsValidUtf8(text) && nlohmann::json::parse(text).is_object());
}

// What was taken is a message that has a form in JSON again, so it holds nothing but what a client can write.
void CheckMessage(const google::protobuf::Message& message) {
  CAISSON_CHECK(nlohmann::json::parse(caisson::gateway::MessageJson(message)).is_object());
}

void TryExecute(std::string_view text) {
  v1::ExecuteRequest request;
  if (const auto wrong = caisson::gateway::ParseExecuteRequest(text, request)) {
    CheckProblem(*wrong);
  } else {
    CheckMessage(request);
  }
}

void TryInteract(std::string_view text) {
  v1::InteractRequest message;
  if (const auto wrong = caisson::gateway::ParseInteractRequest(text, message)) {
    CheckProblem(*wrong);
  } else {
    CheckMessage(message);
  }
}

std::vector<PistonRuntime> Runtimes() {
  v1::ListProfilesResponse profiles;
  for (const char* name : {"python", "cpp", "native"}) {
    v1::Profile& profile = *profiles.add_profiles();
    profile.set_name(name);
    profile.set_available(true);
    profile.set_toolchain_version("3.11.2-1");
    profile.set_default_main_file("main");
    profile.add_steps("compile");
    profile.add_steps("run");
    profile.mutable_ceilings()->set_wall_time_ms(kCeiling);
    profile.mutable_ceilings()->set_cpu_time_ms(kCeiling);
    profile.mutable_ceilings()->set_memory_bytes(kCeiling);
  }
  return caisson::gateway::RuntimesOf(profiles);
}

void TryPiston(std::string_view text) {
  static const std::vector<PistonRuntime> kRuntimes = Runtimes();
  nlohmann::json json;
  if (ParseJson(text, json)) {
    return;
  }
  PistonJob job;
  if (const auto refused = ParsePistonJob(json, kRuntimes, job)) {
    CAISSON_CHECK(!refused->empty() && caisson::IsValidUtf8(*refused));
    return;
  }
  CAISSON_CHECK(job.runtime != nullptr && job.request.profile() == job.runtime->profile);
  CAISSON_CHECK(job.request.files_size() > 0 && !job.request.main_file().empty());
  const v1::Limits& limits = job.request.limits();
  CAISSON_CHECK(!limits.has_wall_time_ms() ||
                (limits.wall_time_ms() > 0 && limits.wall_time_ms() <= kCeiling));
  CAISSON_CHECK(!limits.has_cpu_time_ms() || (limits.cpu_time_ms() > 0 && limits.cpu_time_ms() <= kCeiling));
  CAISSON_CHECK(!limits.has_memory_bytes() ||
                (limits.memory_bytes() > 0 && limits.memory_bytes() <= kCeiling));
  std::string input;
  if (!ParsePistonStdin(json, input)) {
    CAISSON_CHECK(input.ends_with('\n'));
  }
}

void TryRange(std::string_view text) {
  const auto version = caisson::gateway::VersionOf(text);
  // A version is in its own range, in every wider one, and not in what is above it.
  const std::string exact = caisson::gateway::VersionText(version);
  CAISSON_CHECK(IsInRange(version, exact) && IsInRange(version, "^" + exact) &&
                IsInRange(version, ">=" + exact));
  CAISSON_CHECK(!IsInRange(version, ">" + exact) && !IsInRange(version, "<" + exact));
  const bool in = IsInRange({3, 11, 2}, text);
  CAISSON_CHECK(IsInRange({3, 11, 2}, std::string(text) + " || 9.9.9") == in || text.size() > 200);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      TryExecute(text);
      break;
    case 1:
      TryInteract(text);
      break;
    case 2:
      TryPiston(text);
      break;
    default:
      TryRange(text);
      break;
  }
  return 0;
}
