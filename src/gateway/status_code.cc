#include "gateway/status_code.h"

#include <algorithm>
#include <array>

namespace caisson::gateway {
namespace {

constexpr std::array kRows = {
    StatusCodeRow{grpc::StatusCode::OK, "OK", 200, "OK"},
    StatusCodeRow{grpc::StatusCode::CANCELLED, "CANCELLED", 499, "Canceled"},
    StatusCodeRow{grpc::StatusCode::UNKNOWN, "UNKNOWN", 500, "Unknown error"},
    StatusCodeRow{grpc::StatusCode::INVALID_ARGUMENT, "INVALID_ARGUMENT", 400, "Invalid request"},
    StatusCodeRow{grpc::StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", 504, "The deadline passed"},
    StatusCodeRow{grpc::StatusCode::NOT_FOUND, "NOT_FOUND", 404, "Not found"},
    StatusCodeRow{grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS", 409, "Already there"},
    StatusCodeRow{grpc::StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED", 403, "Permission denied"},
    StatusCodeRow{grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED", 401, "Not authenticated"},
    StatusCodeRow{grpc::StatusCode::RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED", 429, "Too much"},
    StatusCodeRow{grpc::StatusCode::FAILED_PRECONDITION, "FAILED_PRECONDITION", 400, "Not possible now"},
    StatusCodeRow{grpc::StatusCode::ABORTED, "ABORTED", 409, "Aborted"},
    StatusCodeRow{grpc::StatusCode::OUT_OF_RANGE, "OUT_OF_RANGE", 400, "Out of range"},
    StatusCodeRow{grpc::StatusCode::UNIMPLEMENTED, "UNIMPLEMENTED", 501, "Not supported"},
    StatusCodeRow{grpc::StatusCode::INTERNAL, "INTERNAL", 500, "Internal error"},
    StatusCodeRow{grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", 503, "Unavailable"},
    StatusCodeRow{grpc::StatusCode::DATA_LOSS, "DATA_LOSS", 500, "Data loss"},
};

}  // namespace

std::span<const StatusCodeRow> AllStatusCodes() { return kRows; }

const StatusCodeRow& RowOf(grpc::StatusCode code) {
  const auto found =
      std::find_if(kRows.begin(), kRows.end(), [code](const StatusCodeRow& row) { return row.code == code; });
  return found == kRows.end() ? kRows[2] : *found;
}

}  // namespace caisson::gateway
