// The gRPC service: knows whose call it is, takes it apart, lets the I/O thread decide, and answers. No logic
// of runs in here.
// Runs on gRPC's threads over client messages: untrusted.
#ifndef CAISSON_DISPATCHER_RUN_SERVICE_H_
#define CAISSON_DISPATCHER_RUN_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "caisson/v1/run.grpc.pb.h"
#include "dispatcher/connection_book.h"
#include "dispatcher/interact_reactor.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/profile_catalog.h"
#include "dispatcher/request_intake.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/tenancy/authentication.h"
#include "dispatcher/tenancy/tenant_limits.h"
#include "dispatcher/tenant.h"
#include "dispatcher/upload_budget.h"

namespace caisson::dispatcher {

// Every method is taken raw: the bytes are parsed here, so that what is too large is refused before,
// undecodable ones get a friendly answer, and the memory of a request is freed while its run goes on.
using RunServiceBase = v1::RunService::WithRawCallbackMethod_Execute<
    v1::RunService::WithRawCallbackMethod_Interact<v1::RunService::WithRawCallbackMethod_CreateRun<
        v1::RunService::WithRawCallbackMethod_FollowRun<v1::RunService::WithRawCallbackMethod_GetRun<
            v1::RunService::WithRawCallbackMethod_ListRuns<v1::RunService::WithRawCallbackMethod_CancelRun<
                v1::RunService::WithRawCallbackMethod_ListProfiles<
                    v1::RunService::WithRawCallbackMethod_GetServerInfo<v1::RunService::Service>>>>>>>>>;

class RunService final : public RunServiceBase {
 public:
  struct Config {
    uint64_t memory_budget_bytes = 0;
    uint32_t max_open_calls = 0;  // Execute and Interact calls at once, whatever they are waiting for
    std::string version;
    uint64_t upload_budget_bytes = kUploadBudgetBytes;
    Metrics* metrics = nullptr;  // null: nothing is counted
    InteractReactor::InputTimeouts input_timeouts;
  };

  // `book` knows who is at the other end of each call.
  RunService(IoThread& io, RunManager& manager, const ProfileCatalog& catalog, ConnectionBook& book,
             Config config)
      : io_(io),
        manager_(manager),
        catalog_(catalog),
        book_(book),
        config_(std::move(config)),
        intake_(catalog_, config_.memory_budget_bytes, config_.upload_budget_bytes),
        open_calls_(config_.max_open_calls) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Execute(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Interact(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* CreateRun(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* FollowRun(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListRuns(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* CancelRun(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListProfiles(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;

 private:
  // What a call is for, which decides who may make it.
  enum class Use : uint8_t { kLook, kCancel, kStart };
  // OK and `caller`, or the refusal that answers the call. The first thing every method does.
  grpc::Status Identify(const grpc::CallbackServerContext& context, Use use, Caller& caller);
  // Where the connection does not say whose calls it has: by the call's token.
  grpc::Status IdentifyByToken(const grpc::CallbackServerContext& context, Caller& caller);
  // The rest of what is asked before a request that starts a run is read: the tenant's policy, its rate, its
  // open calls. OK and `spec` with whose run it will be.
  grpc::Status Receive(const grpc::CallbackServerContext& context, const Caller& caller, RunSpec& spec);
  // The counter of those calls that a call is one of. Of those without a valid token nobody's: they end at
  // once, and must not take from tenants what is theirs until their clients have read that.
  std::atomic<uint32_t>& CallsOf(const Caller& caller);
  // Counts a refusal; OK is none.
  grpc::Status Counted(const grpc::Status& refusal) const;

  IoThread& io_;
  RunManager& manager_;
  const ProfileCatalog& catalog_;
  ConnectionBook& book_;
  const Config config_;
  const RequestIntake intake_;
  OpenCalls open_calls_;
  std::atomic<uint32_t> nobodys_calls_{0};
  RequestRates rates_;
  RefusedTokenLog refused_tokens_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_SERVICE_H_
