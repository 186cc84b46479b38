#include "cli/oci_command.h"

#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "cli/text.h"
#include "common/files.h"
#include "common/status.h"
#include "policy/learning.h"
#include "policy/oci_seccomp.h"

namespace caisson::cli {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "caisson: %s\n", Message(status).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kExitUsage : kExitService;
}

absl::Status Import(const ImportOptions& options) {
  ASSIGN_OR_RETURN(ProfileBase base, LoadBase(options.profile));
  absl::StatusOr<std::string> text = ReadFile(options.file);
  if (!text.ok()) {
    return absl::InvalidArgumentError(Message(text.status()));
  }
  ASSIGN_OR_RETURN(const std::vector<policy::OciRule> rules, policy::ParseOciSeccomp(*text, options.file));
  policy::StepSection& run = base.profile.run;
  const std::string source = Printable(std::filesystem::path(options.file).filename().string());
  policy::OciImport import =
      policy::ImportOciSeccomp(rules, policy::LearningFilter(run.filter, run.network, base.groups), source);
  for (const auto& [call, reason] : import.left_out) {
    std::fprintf(stderr, "left out: %s: %s\n", Printable(call).c_str(), reason.c_str());
  }
  if (!import.narrowed.empty()) {
    std::fprintf(stderr, "narrowed to some arguments: %s\n", JoinNames(import.narrowed).c_str());
  }
  run.filter = std::move(import.filter);
  base.profile.description = "Its run step allows what " + source + " does, as far as groups allow it too. " +
                             base.profile.description;
  RETURN_IF_ERROR(WriteNewProfile(std::move(base.profile), base.groups, options.profile));
  std::fprintf(stderr, "caisson: wrote %s\n", options.profile.output.c_str());
  return absl::OkStatus();
}

}  // namespace

int ProfileImportCommand(const ImportOptions& options) {
  ImportOptions chosen = options;
  absl::Status status = ChooseNames(chosen.profile, "-imported");
  if (status.ok()) {
    status = Import(chosen);
  }
  return status.ok() ? kExitOk : Fail(status);
}

int ProfileExportCommand(const ExportOptions& options) {
  NewProfileOptions named;
  named.directory = options.directory;
  named.base = options.name;
  const absl::StatusOr<ProfileBase> base = LoadBase(named);
  if (!base.ok()) {
    return Fail(base.status());
  }
  const policy::Profile& profile = base->profile;
  if (options.step == "compile" && !profile.compile) {
    return Fail(absl::InvalidArgumentError("the profile " + profile.name + " has no step compile"));
  }
  const policy::StepSection& step = options.step == "compile" ? *profile.compile : profile.run;
  std::fputs(policy::WriteOciSeccomp(step.filter).c_str(), stdout);
  return kExitOk;
}

}  // namespace caisson::cli
