// The request side of the codec: what caissond accepts from a dispatcher that may be under an attacker's
// control.
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "common/status.h"
#include "ipc/codec.h"

namespace caisson::ipc {
namespace {

Prepare ValidPrepare() {
  Prepare message = Make<Prepare>();
  message.sandbox = 7;
  EXPECT_TRUE(SetText(message.profile, "python-3"));
  message.step = Step::kRun;
  message.disk_bytes = 1 << 20;
  message.inode_count = 64;
  return message;
}

Start ValidStart() {
  Start message = Make<Start>();
  message.sandbox = 7;
  message.limits = {1, 2, 3, 4, 5, 6, 7, 8};
  return message;
}

Cancel ValidCancel() {
  Cancel message = Make<Cancel>();
  message.sandbox = 7;
  message.reason = CancelReason::kClient;
  return message;
}

std::string ErrorOf(std::span<const std::byte> bytes, size_t fds) {
  const absl::StatusOr<Request> decoded = DecodeRequest(bytes, fds);
  return decoded.ok() ? "accepted" : Message(decoded.status());
}

template <class M>
std::string ErrorAfter(M message, size_t fds, const std::function<void(M&)>& change) {
  change(message);
  return ErrorOf(AsBytes(message), fds);
}

TEST(CodecRequestTest, PrepareRoundTrips) {
  const Prepare message = ValidPrepare();
  const absl::StatusOr<Request> decoded = DecodeRequest(AsBytes(message), 0);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_TRUE(std::holds_alternative<Prepare>(*decoded));
  EXPECT_EQ(std::memcmp(&std::get<Prepare>(*decoded), &message, sizeof message), 0);
}

TEST(CodecRequestTest, StartRoundTripsWithOneDescriptor) {
  const Start message = ValidStart();
  const absl::StatusOr<Request> decoded = DecodeRequest(AsBytes(message), 1);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(std::get<Start>(*decoded).limits.cpu_millis, 8U);
}

TEST(CodecRequestTest, CancelRoundTrips) {
  const absl::StatusOr<Request> decoded = DecodeRequest(AsBytes(ValidCancel()), 0);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(std::get<Cancel>(*decoded).reason, CancelReason::kClient);
}

TEST(CodecRequestTest, OnlySignalsOnTheListAreAccepted) {
  Signal message = Make<Signal>();
  message.sandbox = 7;
  int accepted = 0;
  for (int32_t number = -1; number <= 65; ++number) {
    message.signal_number = number;
    const bool ok = DecodeRequest(AsBytes(message), 0).ok();
    EXPECT_EQ(ok, IsForwardableSignal(number)) << number;
    accepted += ok ? 1 : 0;
  }
  EXPECT_EQ(accepted, 10);
  EXPECT_FALSE(IsForwardableSignal(SIGKILL));
  EXPECT_FALSE(IsForwardableSignal(SIGSTOP));
  message.signal_number = SIGINT;
  message.reserved = 1;
  EXPECT_EQ(ErrorOf(AsBytes(message), 0), "decode SIGNAL: reserved is not 0");
}

TEST(CodecRequestTest, TheTimeOfTheCollectorIsBounded) {
  EXPECT_EQ(ErrorAfter<Start>(ValidStart(), 1, [](Start& m) { m.collect_ms = kMaxCollectMs; }), "accepted");
  EXPECT_EQ(ErrorAfter<Start>(ValidStart(), 1, [](Start& m) { m.collect_ms = kMaxCollectMs + 1; }),
            "decode START: collect_ms is out of range");
}

TEST(CodecRequestTest, ReloadIsAHeaderAndNothingElse) {
  static_assert(sizeof(Reload) == sizeof(Header));
  const absl::StatusOr<Request> decoded = DecodeRequest(AsBytes(Make<Reload>()), 0);
  ASSERT_TRUE(decoded.ok());
  EXPECT_TRUE(std::holds_alternative<Reload>(*decoded));
  EXPECT_FALSE(DecodeRequest(AsBytes(Make<Reload>()), 1).ok());
}

TEST(CodecRequestTest, ServingIsAHeaderAndNothingElse) {
  static_assert(sizeof(Serving) == sizeof(Header));
  const absl::StatusOr<Request> decoded = DecodeRequest(AsBytes(Make<Serving>()), 0);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(std::holds_alternative<Serving>(*decoded));
  EXPECT_FALSE(DecodeRequest(AsBytes(Make<Serving>()), 1).ok());
}

TEST(CodecRequestTest, UnalignedBytesAreRead) {
  const Prepare message = ValidPrepare();
  std::vector<std::byte> bytes(sizeof message + 1);
  std::memcpy(bytes.data() + 1, &message, sizeof message);
  EXPECT_TRUE(DecodeRequest(std::span(bytes).subspan(1), 0).ok());
}

TEST(CodecRequestTest, EveryOtherLengthIsRefused) {
  const Start message = ValidStart();
  std::vector<std::byte> bytes(sizeof message + 8);
  std::memcpy(bytes.data(), &message, sizeof message);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    Header header = message.header;
    header.length = static_cast<uint32_t>(size);
    std::memcpy(bytes.data(), &header, sizeof header);
    EXPECT_EQ(DecodeRequest(std::span(bytes).first(size), 1).ok(), size == sizeof message) << size;
  }
}

TEST(CodecRequestTest, HeaderFieldsAreChecked) {
  using P = Prepare;
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.header.magic ^= 1; }),
            "decode PREPARE: magic is wrong");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.header.version = 1; }),
            "decode PREPARE: version is not ours");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.header.length = 0; }),
            "decode PREPARE: length is not the packet's");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.header.reserved = 1; }),
            "decode PREPARE: reserved is not 0");
}

TEST(CodecRequestTest, OnlyRequestTypesAreAccepted) {
  for (uint16_t type = 0; type < 1024; ++type) {
    Prepare message = ValidPrepare();
    message.header.type = MessageType{type};
    EXPECT_EQ(DecodeRequest(AsBytes(message), 0).ok(), message.header.type == MessageType::kPrepare) << type;
  }
}

TEST(CodecRequestTest, TheNumberOfDescriptorsIsExact) {
  for (size_t fds = 0; fds <= 4; ++fds) {
    EXPECT_EQ(DecodeRequest(AsBytes(ValidPrepare()), fds).ok(), fds == 0);
    EXPECT_EQ(DecodeRequest(AsBytes(ValidStart()), fds).ok(), fds == 1);
    EXPECT_EQ(DecodeRequest(AsBytes(ValidCancel()), fds).ok(), fds == 0);
  }
}

TEST(CodecRequestTest, ProfileNamesAreAClosedAlphabet) {
  const std::string longest(kNameBytes - 1, 'a');
  for (const std::string& name : {std::string("a"), std::string("c-2"), longest}) {
    Prepare message = ValidPrepare();
    ASSERT_TRUE(SetText(message.profile, name));
    EXPECT_TRUE(DecodeRequest(AsBytes(message), 0).ok()) << name;
  }
  for (const char* name : {"", "-a", "1a", "A", "a/b", "..", "a.b", "a_b", "a b", "a\n", "\xc3\xa4"}) {
    Prepare message = ValidPrepare();
    ASSERT_TRUE(SetText(message.profile, name));
    EXPECT_EQ(ErrorOf(AsBytes(message), 0), "decode PREPARE: profile is not a profile name") << name;
  }
}

TEST(CodecRequestTest, NothingMayHideBehindTheProfileName) {
  Prepare hidden = ValidPrepare();
  hidden.profile.back() = 'x';
  EXPECT_EQ(ErrorOf(AsBytes(hidden), 0), "decode PREPARE: profile is not a profile name");
  Prepare unterminated = ValidPrepare();
  unterminated.profile.fill('a');
  EXPECT_EQ(ErrorOf(AsBytes(unterminated), 0), "decode PREPARE: profile is not a profile name");
}

TEST(CodecRequestTest, PrepareFieldsAreChecked) {
  using P = Prepare;
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.sandbox = 0; }), "decode PREPARE: sandbox is 0");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.step = Step{0}; }),
            "decode PREPARE: step is out of range");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.step = Step{3}; }),
            "decode PREPARE: step is out of range");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.tty = 1; }), "accepted");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.tty = 2; }),
            "decode PREPARE: tty is neither 0 nor 1");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.leaves_last = 1; }), "accepted");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.leaves_last = 2; }),
            "decode PREPARE: leaves_last is neither 0 nor 1");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.reserved = 1; }),
            "decode PREPARE: reserved is not 0");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.disk_bytes = 0; }),
            "decode PREPARE: disk_bytes is 0");
  EXPECT_EQ(ErrorAfter<P>(ValidPrepare(), 0, [](P& m) { m.inode_count = 0; }),
            "decode PREPARE: inode_count is 0");
}

TEST(CodecRequestTest, EveryLimitOfStartMustBeSet) {
  constexpr size_t kLimitCount = sizeof(StartLimits) / sizeof(uint64_t);
  for (size_t i = 0; i < kLimitCount; ++i) {
    Start message = ValidStart();
    auto* const limits = reinterpret_cast<uint64_t*>(&message.limits);  // NOLINT: an array of equal fields
    limits[i] = 0;
    EXPECT_NE(ErrorOf(AsBytes(message), 1), "accepted") << i;
  }
}

TEST(CodecRequestTest, CancelEvidenceBelongsToTheOutputLimitOnly) {
  using C = Cancel;
  const auto output = [](uint32_t detail, uint64_t limit, uint64_t observed) {
    return ErrorAfter<C>(ValidCancel(), 0, [=](C& m) {
      m.reason = CancelReason::kOutputLimit;
      m.detail = detail;
      m.limit = limit;
      m.observed = observed;
    });
  };
  EXPECT_EQ(output(1, 10, 11), "accepted");
  EXPECT_EQ(output(2, 10, 10), "accepted");
  EXPECT_EQ(output(0, 10, 11), "decode CANCEL: detail names neither stdout nor stderr");
  EXPECT_EQ(output(3, 10, 11), "decode CANCEL: detail names neither stdout nor stderr");
  EXPECT_EQ(output(1, 0, 11), "decode CANCEL: limit is 0");
  EXPECT_EQ(output(1, 10, 9), "decode CANCEL: observed is below the limit");
  EXPECT_EQ(ErrorAfter<C>(ValidCancel(), 0, [](C& m) { m.detail = 1; }), "decode CANCEL: detail is not 0");
  EXPECT_EQ(ErrorAfter<C>(ValidCancel(), 0, [](C& m) { m.limit = 1; }), "decode CANCEL: limit is not 0");
  EXPECT_EQ(ErrorAfter<C>(ValidCancel(), 0, [](C& m) { m.observed = 1; }),
            "decode CANCEL: observed is not 0");
  EXPECT_EQ(ErrorAfter<C>(ValidCancel(), 0, [](C& m) { m.reason = CancelReason{0}; }),
            "decode CANCEL: reason is out of range");
  EXPECT_EQ(ErrorAfter<C>(ValidCancel(), 0, [](C& m) { m.reason = CancelReason{6}; }),
            "decode CANCEL: reason is out of range");
}

TEST(TextFieldTest, LongTextIsCutAndStaysTerminated) {
  std::array<char, 8> field{};
  EXPECT_FALSE(SetText(field, "12345678"));
  EXPECT_EQ(Text(field), "1234567");
  EXPECT_TRUE(SetText(field, "ab"));
  EXPECT_EQ(Text(field), "ab");
  EXPECT_EQ(field.back(), '\0');
}

}  // namespace
}  // namespace caisson::ipc
