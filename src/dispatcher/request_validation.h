// Validates requests: protobuf in, checked values out, or every violated field at once.
// Runs in caisson-dispatcher on gRPC's threads; everything it reads comes from a client and is untrusted.
// Early and friendly only: caissond and the stub check again what is theirs.
#ifndef CAISSON_DISPATCHER_REQUEST_VALIDATION_H_
#define CAISSON_DISPATCHER_REQUEST_VALIDATION_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "dispatcher/errors.h"
#include "dispatcher/files_room.h"
#include "dispatcher/profile_catalog.h"
#include "policy/limits.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

inline constexpr uint64_t kMaxRequestBytes = 16ULL * 1024 * 1024;
inline constexpr int kMaxFiles = 2048;
inline constexpr uint64_t kMaxUploadBytes = 256ULL * 1024 * 1024;  // of all files, where they come in chunks
inline constexpr uint64_t kMaxArgsBytes = 128ULL * 1024;
inline constexpr uint64_t kMaxEnvBytes = 128ULL * 1024;
inline constexpr int kMaxPackages = 64;
inline constexpr size_t kMaxLabels = 64;
inline constexpr size_t kMaxLabelValueBytes = 256;

enum class OutputOverflow : uint8_t { kTruncate, kKill };

// Whether the call can hold to a request_id. A run that ends with its call cannot be had again.
enum class RequestIdUse : uint8_t { kRefused, kTaken };

// What a valid ExecuteRequest comes to, without its content.
struct ValidRequest {
  const CatalogEntry* entry = nullptr;
  policy::Limits limits;      // of the run step; a compile step has its profile's
  uint64_t memory_bytes = 0;  // what the run holds while it is admitted: that of its larger step
  // Held besides until the run step has its bundle: what a compile step may hand on, and what was uploaded.
  uint64_t bundle_bytes = 0;
  OutputOverflow overflow = OutputOverflow::kTruncate;
  std::string main_file;  // empty: the only file, which has not come yet
  std::map<std::string, std::string> labels;
};

// OK and `valid` filled, or the refusal. The order of refusals: too large, unknown profile, unavailable
// profile, fields not supported (with the invalid ones beside them), invalid fields, a limit no run on this
// host can have. `files_to_follow` more files come later: what depends on them is checked by CheckUploaded.
// What the tenant's policy does not allow is refused where a profile would be unavailable, and limits beyond
// its ceilings last; null: nothing is.
grpc::Status ValidateExecute(const v1::ExecuteRequest& request, const ProfileCatalog& catalog,
                             uint64_t memory_budget_bytes, ValidRequest& valid, uint32_t files_to_follow = 0,
                             const policy::TenantPolicy* policy = nullptr,
                             RequestIdUse request_id = RequestIdUse::kRefused);

// The rest of it, once all files are known; their paths were checked. Fills what depends on them in `valid`.
grpc::Status CheckUploaded(const v1::ExecuteRequest& request, const std::vector<FileSize>& files,
                           uint64_t memory_budget_bytes, ValidRequest& valid);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUEST_VALIDATION_H_
