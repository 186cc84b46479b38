#include "dispatcher/call_names.h"

#include "dispatcher/errors.h"
#include "dispatcher/run_name.h"

namespace caisson::dispatcher {

bool IsRequestId(const std::string& text) {
  constexpr char kCharacters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
  return text.size() <= kMaxRequestIdBytes && text.find_first_not_of(kCharacters) == std::string::npos;
}

grpc::Status ValidateRunName(const std::string& name) {
  if (IsRunName(name)) {
    return grpc::Status::OK;
  }
  return RefuseFields(Reason::kInvalidRequest, {{"name", "must be runs/ and 32 lower-case hex digits"}});
}

}  // namespace caisson::dispatcher
