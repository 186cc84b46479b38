#include "dispatcher/reloads.h"

#include <memory>
#include <utility>

#include "common/clock.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_manager.h"
#include "ipc/codec.h"

namespace caisson::dispatcher {
namespace {

grpc::Status Lost() {
  return RefuseForNow(Reason::kSupervisorUnavailable, "the supervisor is gone", RunManager::kRetryDelayMs);
}

grpc::Status Stopping() {
  return RefuseForNow(Reason::kShuttingDown, "the service is shutting down", RunManager::kRetryDelayMs);
}

}  // namespace

void Reloads::Ask(Reply reply) {
  if (lost_ || stopping_) {
    return reply(lost_ ? Lost() : Stopping(), {});
  }
  waiting_.push_back(std::move(reply));
  SendIfDue();
}

void Reloads::SendIfDue() {
  if (!asked_.empty() || waiting_.empty() || timer_ != 0) {
    return;
  }
  if (MonotonicNanos() < due_ns_) {
    timer_ = loop_.At(due_ns_, [this] {
      timer_ = 0;
      SendIfDue();
    });
    return;
  }
  asked_ = std::exchange(waiting_, {});
  link_.Send(ipc::Make<ipc::Reload>());
}

void Reloads::OnReloaded(const ipc::Reloaded& message) {
  // From now on, as caissond counts from before.
  due_ns_ = MonotonicNanos() + static_cast<int64_t>(message.wait_ms) * kNanosPerMilli;
  std::vector<Reply> replies = std::exchange(asked_, {});
  admin::v1::ReloadResponse response;
  grpc::Status status;
  switch (message.outcome) {
    case ipc::ReloadOutcome::kTaken: {
      const std::shared_ptr<const PolicyState> state = policies_.Now();
      response.set_policy_digest(state->digest());
      response.set_policies(state->policies().size());
      response.set_tokens_digest(state->tokens().digest());
      response.set_tokens(state->tokens().size());
      if (policies_.last_failed()) {
        status = Refuse(Reason::kReloadRefused, "what caissond read was not taken; the log says why");
      }
      break;
    }
    case ipc::ReloadOutcome::kFaulty:
      status = RefuseConfiguration(Reason::kReloadRefused, ipc::Text(message.message));
      break;
    case ipc::ReloadOutcome::kStopping:
      status = Stopping();
      break;
  }
  AnswerAll(std::move(replies), status, response);
  SendIfDue();
}

// A call that nobody answers would hold up the server's end.
void Reloads::Stop() {
  stopping_ = true;
  AnswerAll(std::exchange(waiting_, {}), Stopping(), {});
}

void Reloads::OnSupervisorLost() {
  lost_ = true;
  AnswerAll(std::exchange(asked_, {}), Lost(), {});
  AnswerAll(std::exchange(waiting_, {}), Lost(), {});
}

void Reloads::AnswerAll(std::vector<Reply> replies, const grpc::Status& status,
                        const admin::v1::ReloadResponse& response) {
  for (const Reply& reply : replies) {
    reply(status, response);
  }
}

}  // namespace caisson::dispatcher
