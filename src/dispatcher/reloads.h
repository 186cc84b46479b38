// Admins who ask to reload, and caissond, which is asked one at a time and no oftener than it says: whoever
// comes while it is asked waits for the next time, since his files may be newer, and shares that. On the I/O
// thread.
#ifndef CAISSON_DISPATCHER_RELOADS_H_
#define CAISSON_DISPATCHER_RELOADS_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "caisson/admin/v1/admin.pb.h"
#include "common/event_loop.h"
#include "dispatcher/supervisor_link.h"
#include "dispatcher/tenancy/policy_book.h"
#include "ipc/messages.h"

namespace caisson::dispatcher {

class Reloads {
 public:
  // OK with what is in force now, or the refusal. The number of those who wait is bounded by the gate.
  using Reply = std::function<void(const grpc::Status& status, const admin::v1::ReloadResponse& response)>;

  // All of them outlive it.
  Reloads(EventLoop& loop, SupervisorLink& link, const PolicyBook& policies)
      : loop_(loop), link_(link), policies_(policies) {}
  ~Reloads() { loop_.Cancel(timer_); }
  Reloads(const Reloads&) = delete;
  Reloads& operator=(const Reloads&) = delete;

  void Ask(Reply reply);
  // The POLICY that came before has been taken, or not.
  void OnReloaded(const ipc::Reloaded& message);
  // The service stops: those who were not asked for yet, and whoever comes, are refused.
  void Stop();
  // Nobody will answer any more.
  void OnSupervisorLost();

 private:
  void SendIfDue();
  static void AnswerAll(std::vector<Reply> replies, const grpc::Status& status,
                        const admin::v1::ReloadResponse& response);

  EventLoop& loop_;
  SupervisorLink& link_;
  const PolicyBook& policies_;
  std::vector<Reply> waiting_;
  std::vector<Reply> asked_;  // whose answer is on its way, if there are any
  int64_t due_ns_ = 0;
  EventLoop::TimerId timer_ = 0;
  bool stopping_ = false;
  bool lost_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RELOADS_H_
