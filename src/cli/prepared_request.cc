#include "cli/prepared_request.h"

#include <unistd.h>

#include <vector>

#include "common/status.h"

namespace caisson::cli {
namespace {

// The profile's name and the name of a program that came on standard input, asking the server only if it
// must.
absl::Status ResolveProfile(const RunOptions& options, Client& client, v1::Profile& profile) {
  profile.set_name(options.profile);
  const bool from_stdin = options.main_file == "-";
  if (!options.profile.empty() && !from_stdin) {
    return absl::OkStatus();
  }
  std::vector<v1::Profile> profiles;
  if (const grpc::Status status = client.ListProfiles(profiles); !status.ok()) {
    return absl::UnavailableError(client.Explain(status));
  }
  if (options.profile.empty()) {
    ASSIGN_OR_RETURN(profile, GuessProfile(options.main_file, profiles));
    return absl::OkStatus();
  }
  for (const v1::Profile& candidate : profiles) {
    if (candidate.name() == options.profile) {
      profile = candidate;
    }
  }
  return absl::OkStatus();  // an unknown name is the server's to refuse: it knows the nearest ones
}

}  // namespace

absl::StatusOr<v1::ExecuteRequest> PrepareRequest(const RunOptions& options, Client& client, StdinUse use) {
  ASSIGN_OR_RETURN(v1::ExecuteRequest request, BuildRequest(options));
  v1::Profile profile;
  RETURN_IF_ERROR(ResolveProfile(options, client, profile));
  if (use == StdinUse::kWhole) {
    RETURN_IF_ERROR(AddStandardInput(options, profile.default_main_file(), STDIN_FILENO, request));
  }
  RETURN_IF_ERROR(CheckRequestSize(request));
  request.set_profile(profile.name());
  return request;
}

}  // namespace caisson::cli
