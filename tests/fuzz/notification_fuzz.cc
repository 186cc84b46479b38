// Fuzzes what init makes of notifications, built hosted: decoding, the plan's answers, the counters of
// refusals and of record locks, against plain models. Input: the table's answers to a few calls and the bits
// of counted commands, then one notification after the other. A hostile payload chooses all of the latter.
#include <linux/fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "common/status.h"
#include "sandbox/init/denials.h"
#include "sandbox/init/lock_budget.h"
#include "sandbox/init/notification.h"

namespace caisson::init {
namespace {

constexpr uint64_t kMostPerSecond = 20;
constexpr int64_t kSecond = 1'000'000'000;

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  template <class T>
  T Take() {
    T value{};
    const size_t count = std::min(sizeof value, bytes_.size());
    std::memcpy(&value, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
};

// One in the input: most numbers are small, most arguments too.
seccomp_data TakeNotification(Input& input) {
  const auto kind = input.Take<uint8_t>();
  seccomp_data data{};
  data.arch = (kind & 1U) != 0 ? input.Take<uint32_t>() : uint32_t{AUDIT_ARCH_X86_64};
  data.nr = (kind & 2U) != 0 ? input.Take<int32_t>() : input.Take<uint16_t>() % 1100;
  data.nr = (kind & 4U) != 0 ? __NR_fcntl : data.nr;
  for (int index = 0; index < 6; ++index) {
    data.args[index] = (kind & 8U) != 0 ? input.Take<uint64_t>() : input.Take<uint8_t>();
  }
  return data;
}

// Every refusal, remembered in full.
struct DenialModel {
  uint64_t total = 0;
  uint64_t other = 0;
  std::vector<int32_t> order;
  std::map<int32_t, uint64_t> counts;

  // Whether it is told of at once.
  bool Count(int32_t number) {
    ++total;
    if (counts.contains(number)) {
      ++counts[number];
      return false;
    }
    if (order.size() == wire::kMaxDenialKinds) {
      ++other;
      return false;
    }
    order.push_back(number);
    counts[number] = 1;
    return order.size() <= wire::kMaxLiveDenials;
  }
};

void CheckCall(const NotifiedCall& call, const seccomp_data& data) {
  CAISSON_CHECK(call.number >= -1 && call.number < static_cast<int>(sandbox::kDenyTableEntries));
  if (data.arch != AUDIT_ARCH_X86_64) {
    CAISSON_CHECK(call.number == wire::kI386Call);
  }
  for (int index = 0; index < 6; ++index) {
    CAISSON_CHECK(call.args[index] == data.args[index]);
  }
}

class Desk {
 public:
  explicit Desk(const AnswerTable& answers) : answers_(answers), denials_(kMostPerSecond) {}

  void On(const seccomp_data& data, int64_t now, uint64_t held) {
    const NotifiedCall call = DecodeCall(data);
    CheckCall(call, data);
    if (answers_.IsCountedLock(call)) {
      CAISSON_CHECK(data.nr == __NR_fcntl && data.arch == AUDIT_ARCH_X86_64);
      return OnLock(call, now, held);
    }
    Refuse(call, answers_.Of(call), now);
  }

  void CheckSummary() const {
    CAISSON_CHECK(denials_.total() == model_.total && denials_.other() == model_.other);
    CAISSON_CHECK(denials_.kinds() == model_.order.size());
    uint64_t sum = denials_.other();
    for (uint32_t index = 0; index < denials_.kinds(); ++index) {
      const DenialKind& kind = denials_.kind(index);
      CAISSON_CHECK(kind.syscall_number == model_.order.at(index));
      CAISSON_CHECK(kind.count == model_.counts.at(kind.syscall_number));
      sum += kind.count;
    }
    CAISSON_CHECK(sum == denials_.total());
  }

 private:
  void Refuse(const NotifiedCall& call, uint8_t answer, int64_t now) {
    const bool kills = answer == sandbox::kDenyAnswerKill;
    const DenialKind* first = denials_.Count(call.number, kills, call.args, now);
    CAISSON_CHECK((first != nullptr) == model_.Count(call.number));
    CAISSON_CHECK(first == nullptr || (first->count == 1 && (first->killed != 0) == kills &&
                                       std::memcmp(first->args, call.args, sizeof call.args) == 0));
    CAISSON_CHECK(denials_.in_window() <= denials_.total());
    CAISSON_CHECK(denials_.over_rate() == (denials_.in_window() > kMostPerSecond));
  }

  // Whoever is let go on holds at most what is allowed: what caissond saw last, and two for each call since.
  void OnLock(const NotifiedCall& call, int64_t now, uint64_t held) {
    const bool of_open_file = call.command() == F_OFD_SETLK || call.command() == F_OFD_SETLKW;
    LockBudget::Answer answer = locks_.Take(of_open_file, now);
    if (answer == LockBudget::Answer::kAsk) {
      CAISSON_CHECK(!of_open_file);
      locks_.Held(held, now);
      answer = locks_.Take(of_open_file, now);
      CAISSON_CHECK(answer != LockBudget::Answer::kAsk);  // or it would ask for ever
      if (held < LockBudget::kMostHeld) {
        most_held_ = held;
      }
    }
    if (answer == LockBudget::Answer::kGoOn) {
      uint64_t& count = of_open_file ? open_file_calls_ : most_held_;
      count += of_open_file ? 1 : LockBudget::kLocksPerCall;
    }
    CAISSON_CHECK(open_file_calls_ <= LockBudget::kMostOpenFileCalls);
    CAISSON_CHECK(most_held_ <= LockBudget::kMostHeld);
  }

  const AnswerTable& answers_;
  DenialCounter denials_;
  DenialModel model_;
  LockBudget locks_;
  uint64_t most_held_ = 0;
  uint64_t open_file_calls_ = 0;
};

void FuzzOne(std::span<const uint8_t> bytes) {
  Input input(bytes);
  std::vector<unsigned char> table(sandbox::kDenyTableEntries, 0);
  for (auto left = input.Take<uint8_t>(); left > 0 && !input.empty(); --left) {
    const auto number = input.Take<uint16_t>() % sandbox::kDenyTableEntries;
    table.at(number) = input.Take<uint8_t>();
  }
  const AnswerTable answers{table.data(), input.Take<uint64_t>()};
  Desk desk(answers);
  int64_t now = kSecond;
  while (!input.empty()) {
    const auto repeats = input.Take<uint8_t>();
    const auto held = input.Take<uint16_t>();
    now += input.Take<uint8_t>() * (kSecond / 16);
    const seccomp_data data = TakeNotification(input);
    for (int again = 0; again <= repeats * 16; ++again) {
      desk.On(data, now, held);
    }
  }
  desk.CheckSummary();
}

}  // namespace
}  // namespace caisson::init

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::init::FuzzOne(std::span(data, size));
  return 0;
}
