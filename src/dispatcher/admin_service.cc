#include "dispatcher/admin_service.h"

#include <optional>
#include <string>

#include "dispatcher/admin_requests.h"
#include "dispatcher/errors.h"
#include "dispatcher/small_message.h"
#include "dispatcher/tenant.h"
#include "dispatcher/unary_answer.h"

namespace caisson::dispatcher {
namespace {

// What Drain and Resume answer.
template <class Response>
Response WithCounts(const RunManager& manager) {
  const RunManager::RunCounts counts = manager.CountRuns();
  Response response;
  response.set_runs_active(counts.active);
  response.set_runs_queued(counts.queued);
  return response;
}

}  // namespace

grpc::Status AdminService::Read(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
                                google::protobuf::Message& request) const {
  const std::optional<Caller> caller = book_.Find(context.peer());
  if (!caller.has_value()) {
    // The gate forgets a connection when it ends, so nobody is there to be answered.
    return Refuse(Reason::kClientGone, "the client went away");
  }
  // Its server has no other listeners. This holds if that is ever a mistake.
  if (caller->role != Role::kAdmin) {
    return Refuse(Reason::kRoleNotAllowed,
                  std::string("the role ") + RoleName(caller->role) + " may not do this",
                  {{"role", RoleName(caller->role)}});
  }
  return ReadSmallRequest(bytes, request);
}

grpc::ServerUnaryReactor* AdminService::Drain(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  const UnaryAnswer answer(context, response);
  admin::v1::DrainRequest drain;
  if (const grpc::Status status = Read(*context, *request, drain); !status.ok()) {
    answer(status, drain);
    return answer.reactor();
  }
  io_.Post([this, answer] {
    manager_.StopAdmitting();
    answer(grpc::Status::OK, WithCounts<admin::v1::DrainResponse>(manager_));
  });
  return answer.reactor();
}

grpc::ServerUnaryReactor* AdminService::Resume(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  const UnaryAnswer answer(context, response);
  admin::v1::ResumeRequest resume;
  if (const grpc::Status status = Read(*context, *request, resume); !status.ok()) {
    answer(status, resume);
    return answer.reactor();
  }
  io_.Post([this, answer] {
    const grpc::Status status = manager_.AdmitAgain();
    answer(status, WithCounts<admin::v1::ResumeResponse>(manager_));
  });
  return answer.reactor();
}

grpc::ServerUnaryReactor* AdminService::Reload(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  const UnaryAnswer answer(context, response);
  admin::v1::ReloadRequest reload;
  if (const grpc::Status status = Read(*context, *request, reload); !status.ok()) {
    answer(status, reload);
    return answer.reactor();
  }
  io_.Post([this, answer] { reloads_.Ask(answer); });
  return answer.reactor();
}

grpc::ServerUnaryReactor* AdminService::ListTenants(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  const UnaryAnswer answer(context, response);
  admin::v1::ListTenantsRequest list;
  grpc::Status status = Read(*context, *request, list);
  if (status.ok()) {
    status = CheckTenantsRequest(list);
  }
  if (!status.ok()) {
    answer(status, list);
    return answer.reactor();
  }
  io_.Post([this, list, answer] { manager_.ListTenants(list, answer); });
  return answer.reactor();
}

}  // namespace caisson::dispatcher
