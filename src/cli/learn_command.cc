#include "cli/learn_command.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "cli/exit_code.h"
#include "cli/result_text.h"
#include "cli/run_call.h"
#include "cli/run_command.h"
#include "cli/text.h"
#include "common/files.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

// The program's output is in it, which may be 64 MiB of each stream, and escaped.
constexpr size_t kMaxResultBytes = size_t{512} << 20U;

struct Source {
  std::string program;  // in words
  v1::RunResult result;
};

int Fail(const absl::Status& status) {
  const std::string text = Message(status);
  std::fprintf(stderr, "caisson: %s\n", text.c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kExitUsage : kExitService;
}

std::string ProgramName(const std::string& path) {
  return Printable(std::filesystem::path(path).filename().string());
}

absl::StatusOr<Source> ReadResult(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, kMaxResultBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(Message(text.status()));
  }
  absl::StatusOr<v1::RunResult> result = ParseRunResult(*text);
  if (!result.ok()) {
    return Prefix(result.status(), path);
  }
  return Source{ProgramName(path), *std::move(result)};
}

// How often each rule was needed, the most often first.
void PrintHistogram(const std::string& step, const policy::SyscallFilter& ceiling,
                    const std::vector<policy::Observation>& observations) {
  std::map<std::string, uint64_t> counts;
  for (const policy::Observation& observation : observations) {
    const policy::Decision decision = policy::Decide(ceiling, observation.syscall, observation.arguments);
    const std::string conditions = decision.rule == nullptr ? "" : policy::ConditionsInWords(*decision.rule);
    counts[observation.syscall + (conditions.empty() ? "" : " when " + conditions)] += observation.count;
  }
  std::vector<std::pair<uint64_t, std::string>> lines;
  for (const auto& [call, count] : counts) {
    lines.emplace_back(count, call);
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::fprintf(stderr, "step %s, what was called how often:\n", step.c_str());
  for (const auto& [count, call] : lines) {
    std::fprintf(stderr, "%10llu  %s\n", static_cast<unsigned long long>(count), call.c_str());
  }
}

absl::Status LearnStep(const std::string& name, const ProfileBase& base, const std::vector<Source>& sources,
                       policy::StepSection& step) {
  std::vector<policy::Observation> observations;
  for (const Source& source : sources) {
    ASSIGN_OR_RETURN(const std::vector<policy::Observation> more,
                     ObservationsOf(source.result, name, source.program));
    observations.insert(observations.end(), more.begin(), more.end());
  }
  const policy::SyscallFilter ceiling = policy::LearningFilter(step.filter, step.network, base.groups);
  ASSIGN_OR_RETURN(policy::SyscallFilter learned, policy::LearnedFilter(ceiling, observations));
  PrintHistogram(name, ceiling, observations);
  std::fprintf(stderr, "step %s, compared with %s:\n%s", name.c_str(), base.profile.name.c_str(),
               FilterDifference(step.filter, learned).c_str());
  step.filter = std::move(learned);
  return absl::OkStatus();
}

absl::Status Learn(const LearnOptions& options, const ProfileBase& base, const std::vector<Source>& sources) {
  policy::Profile profile = base.profile;
  if (profile.compile) {
    RETURN_IF_ERROR(LearnStep("compile", base, sources, *profile.compile));
  }
  RETURN_IF_ERROR(LearnStep("run", base, sources, profile.run));
  std::vector<std::string> programs;
  for (const Source& source : sources) {
    programs.push_back(source.program);
  }
  profile.description = "Learned by caisson " CAISSON_VERSION " from " + JoinNames(programs) + " under " +
                        base.profile.name + ". " + profile.description;
  RETURN_IF_ERROR(WriteNewProfile(std::move(profile), base.groups, options.profile));
  std::fprintf(stderr, "caisson: wrote %s\n", options.profile.output.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::RunResult> ParseRunResult(const std::string& json) {
  nlohmann::json object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError("is not what caisson run --json prints");
  }
  // Texts there, where the API has other things (docs/api.md).
  for (const char* text : {"stdout", "stderr", "stdout_count", "stderr_count", "outputs"}) {
    object.erase(text);
  }
  v1::RunResult result;
  google::protobuf::util::JsonParseOptions parse;
  parse.ignore_unknown_fields = true;  // of a newer server
  if (!google::protobuf::util::JsonStringToMessage(object.dump(), &result, parse).ok() ||
      result.verdict() == v1::VERDICT_UNSPECIFIED) {
    return absl::InvalidArgumentError("is not what caisson run --json prints");
  }
  return result;
}

absl::StatusOr<std::vector<policy::Observation>> ObservationsOf(const v1::RunResult& result,
                                                                const std::string& step,
                                                                const std::string& program) {
  if (!result.isolation().learning()) {
    return absl::FailedPreconditionError(
        program +
        ": the run did not learn: the operator's configuration must name its profile in "
        "learning_profiles (caissond.json(5))");
  }
  if (result.verdict() != v1::COMPLETED) {
    return absl::FailedPreconditionError(program +
                                         ": the run shows only a part of the program, since it ended with " +
                                         VerdictText(result.verdict()));
  }
  if (result.observed_calls_unlisted() != 0) {
    return absl::FailedPreconditionError(program + ": the run made " +
                                         std::to_string(result.observed_calls_unlisted()) +
                                         " calls that its result has no room for");
  }
  std::vector<policy::Observation> observations;
  for (const v1::ObservedCall& call : result.observed_calls()) {
    if (call.step() != step) {
      continue;
    }
    policy::Observation observation{Printable(call.name()), {}, call.count(), program};
    const auto known = std::min(observation.arguments.size(), static_cast<size_t>(call.args_size()));
    std::copy_n(call.args().begin(), known, observation.arguments.begin());
    observations.push_back(std::move(observation));
  }
  return observations;
}

std::string FilterDifference(const policy::SyscallFilter& current, const policy::SyscallFilter& learned) {
  const std::set<std::string> before = policy::AllowedInWords(current);
  const std::set<std::string> after = policy::AllowedInWords(learned);
  std::string lines;
  for (const std::string& call : after) {
    lines += before.contains(call) ? "" : "+ " + call + "\n";
  }
  for (const std::string& call : before) {
    lines += after.contains(call) ? "" : "- " + call + "\n";
  }
  return lines;
}

int LearnCommand(const LearnOptions& options, const Server& server) {
  LearnOptions chosen = options;
  if (const absl::Status status = ChooseNames(chosen.profile, "-learned"); !status.ok()) {
    return Fail(status);
  }
  const absl::StatusOr<ProfileBase> base = LoadBase(chosen.profile);
  if (!base.ok()) {
    return Fail(base.status());
  }
  std::vector<Source> sources;
  for (const std::string& path : chosen.results) {
    absl::StatusOr<Source> source = ReadResult(path);
    if (!source.ok()) {
      return Fail(source.status());
    }
    sources.push_back(*std::move(source));
  }
  if (!chosen.run.main_file.empty()) {
    Source source{ProgramName(chosen.run.main_file), {}};
    const int code = RunCommand(chosen.run, server, &source.result);
    if (source.result.verdict() == v1::VERDICT_UNSPECIFIED) {
      return code;  // There is no result, and it was told why.
    }
    sources.push_back(std::move(source));
  }
  const absl::Status status = Learn(chosen, *base, sources);
  return status.ok() ? kExitOk : Fail(status);
}

}  // namespace caisson::cli
