// Profiles that the command line writes: from a profile that is there, with another filter. Reads and writes
// the caller's own files; nothing here is privileged, and caissond reads the outcome as critically as any
// profile.
#ifndef CAISSON_CLI_NEW_PROFILE_H_
#define CAISSON_CLI_NEW_PROFILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/profile.h"
#include "policy/profile_loader.h"

namespace caisson::cli {

struct NewProfileOptions {
  std::string directory;  // of the profiles; empty: the default one
  std::string base;       // the profile that root, command, limits and refusals are taken from
  std::string name;       // empty: the stem of `output`, or BASE and the suffix
  std::string output;     // empty: NAME.json
  bool force = false;     // replace a file that is there
};

struct ProfileBase {
  policy::Profile profile;
  policy::SyscallGroups groups;
};

// kNotFound, with the nearest names, when there is no such profile.
absl::StatusOr<ProfileBase> LoadBase(const NewProfileOptions& options);

// Fills in name and output. kInvalidArgument where they contradict each other, or would name a file that is
// there.
absl::Status ChooseNames(NewProfileOptions& options, const std::string& suffix);

// Writes `profile` under the name of `options`, after reading it back as caissond would: what does not load,
// or what lint objects to, is not written (kFailedPrecondition).
absl::Status WriteNewProfile(policy::Profile profile, const policy::SyscallGroups& groups,
                             const NewProfileOptions& options);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_NEW_PROFILE_H_
