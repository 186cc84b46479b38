#include "dispatcher/stored_lookup.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <utility>

#include "common/status.h"
#include "dispatcher/errors.h"

namespace caisson::dispatcher {
namespace {

grpc::Status CannotRead(const absl::Status& status) {
  spdlog::error("records: {}", Message(status));
  return Refuse(Reason::kStorageFailed, "the records cannot be read");
}

}  // namespace

void ReadStoredRun(RecordThread& records, const Caller& caller, const RunId& id, RunReply reply) {
  auto found = std::make_shared<std::optional<StoredRun>>();
  records.Read(
      [found, caller, id](RunStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(*found, store.records().Find(caller, id));
        return absl::OkStatus();
      },
      [found, id, reply = std::move(reply)](const absl::Status& status) {
        if (!status.ok()) {
          return reply(CannotRead(status), {});
        }
        if (!found->has_value()) {
          return reply(RefuseMissing(Reason::kRunNotFound, "run", RunName(id)), {});
        }
        reply(grpc::Status::OK, (*found)->run);
      });
}

void ReadStoredPage(RecordThread& records, ListingRequest request, LiveRuns live, PageReply reply) {
  auto page = std::make_shared<v1::ListRunsResponse>();
  records.Read(
      [page, request = std::move(request), live = std::move(live)](RunStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(*page, BuildPage(request, live, [&](uint64_t before, size_t most) {
          return store.records().List(request.caller, before, most);
        }));
        return absl::OkStatus();
      },
      [page, reply = std::move(reply)](const absl::Status& status) {
        reply(status.ok() ? grpc::Status::OK : CannotRead(status), *page);
      });
}

}  // namespace caisson::dispatcher
