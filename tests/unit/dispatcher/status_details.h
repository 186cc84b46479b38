// Reads the google.rpc details out of a grpc::Status.
#ifndef CAISSON_TESTS_UNIT_DISPATCHER_STATUS_DETAILS_H_
#define CAISSON_TESTS_UNIT_DISPATCHER_STATUS_DETAILS_H_

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/support/status.h>

#include <optional>
#include <set>
#include <string>

namespace caisson::dispatcher {

template <typename Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) {
    return std::nullopt;
  }
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) {
      return detail;
    }
  }
  return std::nullopt;
}

// Empty if there is no ErrorInfo.
inline std::string ReasonOf(const grpc::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  return info.has_value() ? info->reason() : "";
}

inline std::set<std::string> FieldsOf(const grpc::Status& status) {
  std::set<std::string> fields;
  if (const auto bad_request = DetailOf<google::rpc::BadRequest>(status); bad_request.has_value()) {
    for (const auto& violation : bad_request->field_violations()) {
      fields.insert(violation.field());
    }
  }
  return fields;
}

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_UNIT_DISPATCHER_STATUS_DETAILS_H_
