// The admin service: knows that a call is an admin's, takes it apart, lets the I/O thread decide, and
// answers. It has a server of its own (server.h), so that no client of any tenant can reach it. Runs on
// gRPC's threads over admins' messages: untrusted until they are checked.
#ifndef CAISSON_DISPATCHER_ADMIN_SERVICE_H_
#define CAISSON_DISPATCHER_ADMIN_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "caisson/admin/v1/admin.grpc.pb.h"
#include "dispatcher/connection_book.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/reloads.h"
#include "dispatcher/run_manager.h"

namespace caisson::dispatcher {

// Taken raw, as RunService's methods are.
using AdminServiceBase = admin::v1::AdminService::WithRawCallbackMethod_Drain<
    admin::v1::AdminService::WithRawCallbackMethod_Resume<
        admin::v1::AdminService::WithRawCallbackMethod_Reload<
            admin::v1::AdminService::WithRawCallbackMethod_ListTenants<admin::v1::AdminService::Service>>>>;

class AdminService final : public AdminServiceBase {
 public:
  // `book` knows who is at the other end of each call.
  AdminService(IoThread& io, RunManager& manager, Reloads& reloads, const ConnectionBook& book)
      : io_(io), manager_(manager), reloads_(reloads), book_(book) {}

  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Reload(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListTenants(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

 private:
  // OK if the call came through an admins' listener and its bytes are a message of this type; or the refusal.
  grpc::Status Read(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
                    google::protobuf::Message& request) const;

  IoThread& io_;
  RunManager& manager_;
  Reloads& reloads_;
  const ConnectionBook& book_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_ADMIN_SERVICE_H_
