#include "dispatcher/reloads.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/event_loop.h"
#include "common/packet_socket.h"
#include "dispatcher/fake_supervisor.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

class ReloadsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto ends = MakePacketSocketPair();
    ASSERT_TRUE(ends.ok());
    supervisor_ = std::make_unique<FakeSupervisor>(std::move(ends->second));
    loop_ = std::move(*EventLoop::Create());
    link_ = std::make_unique<SupervisorLink>(*loop_, std::move(ends->first));
    ASSERT_TRUE(
        link_->Start([](const ipc::Reply&, std::vector<UniqueFd>) {}, [](const absl::Status&) {}).ok());
    reloads_ = std::make_unique<Reloads>(*loop_, *link_, policies_);
  }
  void Ask() {
    reloads_->Ask([this](const grpc::Status& status, const admin::v1::ReloadResponse& response) {
      told_.push_back(status);
      responses_.push_back(response);
    });
  }
  bool WasAsked() { return supervisor_->Expect<ipc::Reload>().header.type == ipc::MessageType::kReload; }
  static ipc::Reloaded Answer(ipc::ReloadOutcome outcome, uint64_t wait_ms = 0) {
    auto message = ipc::Make<ipc::Reloaded>();
    message.outcome = outcome;
    message.wait_ms = wait_ms;
    return message;
  }

  std::unique_ptr<FakeSupervisor> supervisor_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<SupervisorLink> link_;
  PolicyBook policies_;
  std::unique_ptr<Reloads> reloads_;
  std::vector<grpc::Status> told_;
  std::vector<admin::v1::ReloadResponse> responses_;
};

TEST_F(ReloadsTest, WhatIsInForceIsTold) {
  Ask();
  ASSERT_TRUE(WasAsked());
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken));
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(told_[0].ok());
  EXPECT_EQ(responses_[0].policy_digest(), "none");
  EXPECT_EQ(responses_[0].tokens_digest(), "none");
}

TEST_F(ReloadsTest, WhoComesMeanwhileSharesTheNextReadingAndNotThisOne) {
  Ask();
  Ask();
  Ask();
  ASSERT_TRUE(WasAsked());
  EXPECT_TRUE(supervisor_->IsSilent());
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken));
  EXPECT_EQ(told_.size(), 1U);
  ASSERT_TRUE(WasAsked());
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken));
  EXPECT_EQ(told_.size(), 3U);
  EXPECT_TRUE(supervisor_->IsSilent());
}

TEST_F(ReloadsTest, NobodyIsAskedSoonerThanWasSaid) {
  Ask();
  ASSERT_TRUE(WasAsked());
  const int64_t answered_ns = MonotonicNanos();
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken, 300));
  Ask();
  EXPECT_TRUE(supervisor_->IsSilent());
  loop_->At(MonotonicNanos() + 400 * kNanosPerMilli, [this] { loop_->Stop(); });
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_GE(MonotonicNanos() - answered_ns, 300 * kNanosPerMilli);
  ASSERT_TRUE(WasAsked());
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken));
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(ReloadsTest, FaultsAreARefusalWithEachOfThem) {
  Ask();
  ASSERT_TRUE(WasAsked());
  ipc::Reloaded faulty = Answer(ipc::ReloadOutcome::kFaulty);
  ASSERT_TRUE(ipc::SetText(faulty.message, "/a.json:3: quotas: unknown key"));
  reloads_->OnReloaded(faulty);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(ReasonOf(told_[0]), "RELOAD_REFUSED");
  EXPECT_EQ(DetailOf<google::rpc::PreconditionFailure>(told_[0])->violations(0).subject(),
            "/a.json:3: quotas");
}

TEST_F(ReloadsTest, WhatWasReadAndNotTakenIsNoSuccess) {
  Ask();
  policies_.NoteFailure();
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken));
  EXPECT_EQ(ReasonOf(told_.at(0)), "RELOAD_REFUSED");
  Ask();
  policies_.Set(std::make_shared<const PolicyState>());
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kTaken));
  EXPECT_TRUE(told_.at(1).ok());
}

TEST_F(ReloadsTest, NobodyIsLeftWithoutAnAnswer) {
  Ask();
  Ask();
  reloads_->Stop();
  ASSERT_EQ(told_.size(), 1U);  // who was not asked for yet
  EXPECT_EQ(ReasonOf(told_[0]), "SHUTTING_DOWN");
  Ask();
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(ReasonOf(told_[1]), "SHUTTING_DOWN");
  reloads_->OnReloaded(Answer(ipc::ReloadOutcome::kStopping));
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_EQ(ReasonOf(told_[2]), "SHUTTING_DOWN");
}

TEST_F(ReloadsTest, WithoutASupervisorEverybodyIsRefused) {
  Ask();
  Ask();
  reloads_->OnSupervisorLost();
  Ask();
  ASSERT_EQ(told_.size(), 3U);
  for (const grpc::Status& status : told_) {
    EXPECT_EQ(ReasonOf(status), "SUPERVISOR_UNAVAILABLE");
  }
}

}  // namespace
}  // namespace caisson::dispatcher
