// A real sandbox under a Session, with a test in the dispatcher's place: it gives the bundle, holds the outer
// ends of the pipes and hears what Session has to say. Needs root.
#ifndef CAISSON_TESTS_UNIT_ORCHESTRATOR_SESSION_SUPPORT_H_
#define CAISSON_TESTS_UNIT_ORCHESTRATOR_SESSION_SUPPORT_H_

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "ipc/codec.h"
#include "orchestrator/session.h"
#include "policy/profile.h"
#include "privileged_support.h"

namespace caisson::orchestrator {

// All bytes until the end of the pipe.
inline std::string ReadToEnd(int fd) {
  std::string text;
  std::string buffer(65'536, '\0');
  for (ssize_t got = 0; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer, 0, static_cast<size_t>(got));
  }
  return text;
}

class SessionTest : public testing::Test, public SessionListener {
 protected:
  // Called in the loop's thread at the moment named.
  struct Moments {
    std::function<void()> prepared;
    std::function<void()> started;
  };

  void SetUp() override;
  void TearDown() override;

  // Runs a Python program to the end of its sandbox. `limits_` and `outputs_` may be changed before.
  void Run(const std::string& program, uint64_t collect_ms, Moments moments = {}) {
    program_ = program;
    collect_ms_ = collect_ms;
    moments_ = std::move(moments);
    session_.reset();
    auto loop = EventLoop::Create();
    ASSERT_TRUE(loop.ok()) << Message(loop.status());
    builder_.reset();
    loop_ = *std::move(loop);
    auto builder = BuilderProcess::Start(*loop_, *spawner_, *cgroups_, ids_, {&plan_, &terminal_plan_},
                                         [] { ADD_FAILURE() << "the builder ended"; });
    ASSERT_TRUE(builder.ok()) << Message(builder.status());
    builder_ = *std::move(builder);
    const StepPlan& plan = wants_terminal_ ? terminal_plan_ : plan_;
    session_ = std::make_unique<Session>(*loop_, *builder_, *this, 7, plan, ipc::Step::kRun, 0);
    session_->Build(64ULL << 20U, 4096);
    const EventLoop::TimerId patience =
        loop_->At(MonotonicNanos() + kPatienceNanos, [] { FAIL() << "nothing came of it"; });
    ASSERT_TRUE(loop_->Run().ok());
    loop_->Cancel(patience);
  }

  int Pipe(ipc::PreparedFd which) const { return fds_.at(static_cast<size_t>(which)).get(); }
  void ClosePipe(ipc::PreparedFd which) { fds_.at(static_cast<size_t>(which)).reset(); }
  // Once, when the pipe has something (EPOLLIN) or its writers are gone (EPOLLHUP).
  void When(ipc::PreparedFd which, uint32_t event, const std::function<void()>& then) {
    const int fd = Pipe(which);
    const absl::Status watched = loop_->Watch(fd, event, [this, fd, event, then](uint32_t events) {
      if ((events & event) != 0) {
        const std::function<void()> act = then;  // Unwatch destroys this handler and what it holds.
        loop_->Unwatch(fd);
        act();
      }
    });
    EXPECT_TRUE(watched.ok());
  }
  void Cancel(ipc::CancelReason reason) {
    auto cancel = ipc::Make<ipc::Cancel>();
    cancel.reason = reason;
    session_->End(EndCause::kCanceled, &cancel);
  }

  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Session> session_;
  ipc::StartLimits limits_{20'000, 10'000, 256ULL << 20U, 32, 256, 256ULL << 20U, 8ULL << 20U, 1000};
  std::vector<std::string> outputs_;
  bool wants_terminal_ = false;
  std::optional<ipc::Finished> finished_;
  int64_t finished_ns_ = 0;
  ipc::IsolationReport isolation_{};
  std::unique_ptr<CgroupBackend> cgroups_;
  IdPool ids_{1'890'000'000, 16};
  std::optional<sandbox::Spawner> spawner_;
  std::unique_ptr<BuilderProcess> builder_;
  StepPlan plan_;
  StepPlan terminal_plan_;

 private:
  static void Compile(const policy::StepSection& step, const policy::SyscallFilter& rules,
                      const std::string& staging, StepPlan& plan);
  UniqueFd Bundle() const;

  void OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) override {
    fds_ = std::move(fds);
    isolation_ = message.isolation;
    if (moments_.prepared) {
      moments_.prepared();
    }
    if (session.state() == ipc::SandboxState::kPrepared) {
      auto start = ipc::Make<ipc::Start>();
      start.limits = limits_;
      start.collect_ms = collect_ms_;
      session.Start(start, Bundle());
    }
  }
  void OnPrepareFailed(Session& /*session*/, const ipc::PrepareFailed& message) override {
    ADD_FAILURE() << ipc::Text(message.message);
  }
  void OnStarted(Session& /*session*/, const ipc::Started& /*message*/) override {
    if (moments_.started) {
      moments_.started();
    }
  }
  void OnStartRefused(Session& /*session*/, const ipc::StartRefused& message) override {
    ADD_FAILURE() << ipc::Text(message.message);
  }
  void OnFinished(Session& /*session*/, const ipc::Finished& message) override {
    finished_ = message;
    finished_ns_ = MonotonicNanos();
  }
  void OnGone(Session& /*session*/) override { loop_->Stop(); }

  std::string state_dir_;
  std::string program_;
  uint64_t collect_ms_ = 0;
  Moments moments_;
  std::vector<UniqueFd> fds_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_TESTS_UNIT_ORCHESTRATOR_SESSION_SUPPORT_H_
