// The reply side of the codec: what the dispatcher accepts from caissond.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "common/status.h"
#include "ipc/codec.h"

namespace caisson::ipc {
namespace {

template <class M>
size_t FdsOf() {
  if (MessageTraits<M>::kType == MessageType::kListener || MessageTraits<M>::kType == MessageType::kPolicy) {
    return 1;
  }
  return MessageTraits<M>::kType == MessageType::kPrepared ? kPreparedFds : 0;
}

Hello ValidHello() {
  Hello message = Make<Hello>();
  message.max_sandboxes = 8;
  message.memory_budget_bytes = 1 << 30;
  message.cpu_millis = 2'000;
  message.cgroup_backend = static_cast<uint32_t>(CgroupBackend::kHybrid);
  return message;
}

Listener ValidListener() {
  Listener message = Make<Listener>();
  EXPECT_TRUE(SetText(message.tenant, "alpha"));
  EXPECT_TRUE(SetText(message.address, "unix:/run/alpha.sock"));
  message.role = ClientRole::kRun;
  message.peer_count = 1;
  message.peers[0] = 1000;
  return message;
}

Policy ValidPolicy() {
  Policy message = Make<Policy>();
  message.bytes = 2;
  return message;
}

template <class M>
M ValidIsolation() {
  M message = Make<M>();
  message.sandbox = 3;
  message.isolation.no_new_privs = 1;
  message.isolation.seccomp_mode = 2;
  message.isolation.namespaces = kNsUser | kNsCgroup;
  message.isolation.mounts = kMountPrivate;
  message.isolation.landlock_enforced = 1;
  message.isolation.root = RootKind::kImage;
  return message;
}

template <class M>
M ValidRefusal() {
  M message = Make<M>();
  message.sandbox = 3;
  message.refusal = Refusal::kSetupFailed;
  EXPECT_TRUE(SetText(message.message, "mount the root: Operation not permitted"));
  return message;
}

Finished ValidFinished() {
  Finished message = Make<Finished>();
  message.sandbox = 3;
  message.verdict = Verdict::kCompleted;
  message.ended_by = Actor::kProgram;
  message.exited = 1;
  message.exit_code = 255;
  message.violation_syscall = -1;
  return message;
}

template <class M>
std::string ErrorAfter(
    M message, const std::function<void(M&)>& change = [](M&) {}) {
  change(message);
  const absl::StatusOr<Reply> decoded = DecodeReply(AsBytes(message), FdsOf<M>());
  if (decoded.ok()) {
    EXPECT_TRUE(std::holds_alternative<M>(*decoded));
    return "accepted";
  }
  return Message(decoded.status());
}

TEST(CodecReplyTest, EveryReplyRoundTrips) {
  EXPECT_EQ(ErrorAfter(ValidHello()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidIsolation<Prepared>()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidIsolation<Started>()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidRefusal<PrepareFailed>()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidRefusal<StartRefused>()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidFinished()), "accepted");
  EXPECT_EQ(ErrorAfter(Make<Drain>()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidListener()), "accepted");
  EXPECT_EQ(ErrorAfter(ValidPolicy()), "accepted");
}

TEST(CodecReplyTest, RequestsAreNotReplies) {
  EXPECT_FALSE(DecodeReply(AsBytes(Make<Prepare>()), 0).ok());
  EXPECT_FALSE(DecodeReply(AsBytes(Make<Start>()), 1).ok());
  EXPECT_FALSE(DecodeReply(AsBytes(Make<Cancel>()), 0).ok());
}

TEST(CodecReplyTest, PreparedSaysWhetherItWasBuiltAheadAndNothingElse) {
  EXPECT_EQ(ErrorAfter<Prepared>(ValidIsolation<Prepared>(), [](auto& m) { m.from_pool = 1; }), "accepted");
  EXPECT_NE(ErrorAfter<Prepared>(ValidIsolation<Prepared>(), [](auto& m) { m.from_pool = 2; }), "accepted");
  EXPECT_NE(ErrorAfter<Prepared>(ValidIsolation<Prepared>(), [](auto& m) { m.reserved = 1; }), "accepted");
}

TEST(CodecReplyTest, PreparedBringsExactlyItsDescriptors) {
  for (size_t fds = 0; fds <= kPreparedFds + 1; ++fds) {
    EXPECT_EQ(DecodeReply(AsBytes(ValidIsolation<Prepared>()), fds).ok(), fds == kPreparedFds);
    EXPECT_EQ(DecodeReply(AsBytes(ValidHello()), fds).ok(), fds == 0);
  }
}

TEST(CodecReplyTest, HelloFieldsAreChecked) {
  using H = Hello;
  EXPECT_EQ(ErrorAfter<H>(ValidHello(), [](H& m) { m.max_sandboxes = 0; }),
            "decode HELLO: max_sandboxes is 0");
  EXPECT_EQ(ErrorAfter<H>(ValidHello(), [](H& m) { m.memory_budget_bytes = 0; }),
            "decode HELLO: memory_budget_bytes is 0");
  EXPECT_EQ(ErrorAfter<H>(ValidHello(), [](H& m) { m.cgroup_backend = 3; }),
            "decode HELLO: cgroup_backend is out of range");
  EXPECT_EQ(ErrorAfter<H>(ValidHello(), [](H& m) { m.listeners = kMaxListeners + 1; }),
            "decode HELLO: listeners is out of range");
}

TEST(CodecReplyTest, PolicyFieldsAreChecked) {
  EXPECT_EQ(ErrorAfter<Policy>(ValidPolicy(), [](Policy& m) { m.bytes = 0; }), "decode POLICY: bytes is 0");
  EXPECT_EQ(ErrorAfter<Policy>(ValidPolicy(), [](Policy& m) { m.tokens = 2; }),
            "decode POLICY: tokens is neither 0 nor 1");
  EXPECT_EQ(ErrorAfter<Policy>(ValidPolicy(), [](Policy& m) { m.tokens = 1; }), "accepted");
  EXPECT_FALSE(DecodeReply(AsBytes(ValidPolicy()), 0).ok());
}

TEST(CodecReplyTest, ListenerFieldsAreChecked) {
  using L = Listener;
  const auto error = [](const std::function<void(L&)>& change) {
    return ErrorAfter<L>(ValidListener(), change);
  };
  EXPECT_EQ(error([](L& m) { m.role = ClientRole{0}; }), "decode LISTENER: role is out of range");
  EXPECT_EQ(error([](L& m) { m.role = ClientRole{6}; }), "decode LISTENER: role is out of range");
  EXPECT_EQ(error([](L& m) { m.role = ClientRole::kOperator; }),
            "decode LISTENER: tenant is given to one who has none");
  EXPECT_EQ(error([](L& m) { m.role = ClientRole::kByToken; }),
            "decode LISTENER: tenant is given to one who has none");
  EXPECT_EQ(error([](L& m) { m.role = ClientRole::kAdmin; }),
            "decode LISTENER: tenant is given to one who has none");
  EXPECT_EQ(error([](L& m) {
              m.role = ClientRole::kAdmin;
              m.tenant.fill('\0');
              m.peer_count = 0;
              m.peers.fill(0);
            }),
            "decode LISTENER: peer_count is 0");
  EXPECT_EQ(error([](L& m) { m.tenant.fill('\0'); }), "decode LISTENER: tenant is not a tenant's name");
  EXPECT_EQ(error([](L& m) { m.tenant.fill('a'); }), "decode LISTENER: tenant is not a tenant's name");
  EXPECT_EQ(error([](L& m) { m.tenant[60] = 'x'; }), "decode LISTENER: tenant is not a tenant's name");
  EXPECT_EQ(error([](L& m) { m.address.fill('a'); }), "decode LISTENER: address is not NUL-terminated");
  EXPECT_EQ(error([](L& m) { m.peer_count = kMaxPeers + 1; }), "decode LISTENER: peer_count is out of range");
  EXPECT_EQ(error([](L& m) { m.peers[5] = 7; }), "decode LISTENER: peers is not 0");
  EXPECT_FALSE(DecodeReply(AsBytes(ValidListener()), 0).ok());
  EXPECT_FALSE(DecodeReply(AsBytes(ValidListener()), 2).ok());
}

TEST(CodecReplyTest, ReloadedFieldsAreChecked) {
  Reloaded good = Make<Reloaded>();
  good.outcome = ReloadOutcome::kFaulty;
  good.wait_ms = 1'000;
  ASSERT_TRUE(SetText(good.message, "/etc/caisson/tenants/a.json:3: quotas: unknown key"));
  const auto error = [&](const std::function<void(Reloaded&)>& change) {
    return ErrorAfter<Reloaded>(good, change);
  };
  EXPECT_EQ(ErrorAfter(good), "accepted");
  EXPECT_EQ(error([](Reloaded& m) { m.outcome = ReloadOutcome{0}; }),
            "decode RELOADED: outcome is out of range");
  EXPECT_EQ(error([](Reloaded& m) { m.outcome = ReloadOutcome{4}; }),
            "decode RELOADED: outcome is out of range");
  EXPECT_EQ(error([](Reloaded& m) { m.reserved = 1; }), "decode RELOADED: reserved is not 0");
  EXPECT_EQ(error([](Reloaded& m) { m.wait_ms = kMostReloadWaitMs + 1; }),
            "decode RELOADED: wait_ms is out of range");
  EXPECT_EQ(error([](Reloaded& m) { m.message.fill('a'); }),
            "decode RELOADED: message is not NUL-terminated");
  EXPECT_EQ(error([](Reloaded& m) { m.outcome = ReloadOutcome::kTaken; }),
            "decode RELOADED: message contradicts outcome");
  EXPECT_EQ(error([](Reloaded& m) { m.message.fill('\0'); }), "decode RELOADED: message contradicts outcome");
}

template <class M>
class IsolationTest : public testing::Test {};
using WithIsolation = testing::Types<Prepared, Started>;
TYPED_TEST_SUITE(IsolationTest, WithIsolation);

TYPED_TEST(IsolationTest, FieldsAreChecked) {
  using M = TypeParam;
  const M valid = ValidIsolation<M>();
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.sandbox = 0; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.no_new_privs = 2; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.seccomp_mode = 3; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.learning = 2; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.namespaces = kNsCgroup << 1U; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.mounts = kMountPrivate << 1U; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.landlock_enforced = 2; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.root = RootKind{}; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.isolation.root = RootKind{3}; }), "accepted");
}

template <class M>
class RefusalTest : public testing::Test {};
using WithRefusal = testing::Types<PrepareFailed, StartRefused>;
TYPED_TEST_SUITE(RefusalTest, WithRefusal);

TYPED_TEST(RefusalTest, FieldsAreChecked) {
  using M = TypeParam;
  const M valid = ValidRefusal<M>();
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.sandbox = 0; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.refusal = Refusal{0}; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.refusal = Refusal{8}; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.limit = LimitName{14}; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.error.stage = 0x10000; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.error.error_number = -1; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.error.reserved = 1; }), "accepted");
  EXPECT_NE(ErrorAfter<M>(valid, [](M& m) { m.message.fill('x'); }), "accepted");
}

TEST(CodecReplyTest, FinishedFieldsAreChecked) {
  using F = Finished;
  const F valid = ValidFinished();
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.sandbox = 0; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.verdict = Verdict{0}; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.verdict = Verdict{12}; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.ended_by = Actor{7}; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.limit = LimitName{14}; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.exited = 2; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.exit_code = 256; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.exit_code = -1; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.term_signal = 9; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.violation_syscall = 1024; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.reserved = 1; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.usage.present = kUsageMemoryParts << 1U; }), "accepted");
  EXPECT_NE(ErrorAfter<F>(valid, [](F& m) { m.usage.reserved = 1; }), "accepted");
}

TEST(CodecReplyTest, ASignalAndAnExitCodeExcludeEachOther) {
  using F = Finished;
  EXPECT_EQ(ErrorAfter<F>(ValidFinished(),
                          [](F& m) {
                            m.exited = 0;
                            m.exit_code = 0;
                            m.term_signal = 9;
                          }),
            "accepted");
  EXPECT_EQ(ErrorAfter<F>(ValidFinished(), [](F& m) { m.exited = 0; }),
            "decode FINISHED: exit_code contradicts exited");
}

}  // namespace
}  // namespace caisson::ipc
