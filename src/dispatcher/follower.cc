#include "dispatcher/follower.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/convert.h"
#include "dispatcher/errors.h"

namespace caisson::dispatcher {
namespace {

// Of a `finished` that is handed over with the end of its call.
constexpr size_t kMostLastBytes = 16UL * 1024;

// What the record thread found.
struct Found {
  enum class Kind : uint8_t { kEvent, kWait, kEnd, kMissing, kNoOutput, kBeyond };
  Kind kind = Kind::kWait;
  v1::RunEvent event;  // kEvent; kEnd: `finished`
  FollowPosition position;
};

bool IsBeyond(const FollowPosition& position, const SpoolSizes& sizes) {
  for (size_t part = 0; part < kSpoolParts; ++part) {
    if (position.next.at(part) > sizes.at(part)) {
      return true;
    }
  }
  return false;
}

// `first`: whether the position is the client's own word.
absl::Status Look(RunStore& store, const Caller& caller, const RunId& run, bool first, Found& found) {
  // Whose run it is comes before anything of it.
  if (first) {
    ASSIGN_OR_RETURN(const std::optional<StoredRun> stored, store.records().Find(caller, run));
    if (!stored.has_value() || !stored->run.followable()) {
      found.kind = stored.has_value() ? Found::Kind::kNoOutput : Found::Kind::kMissing;
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const SpoolSizes sizes, store.spool().Sizes(run));
    if (IsBeyond(found.position, sizes)) {
      found.kind = Found::Kind::kBeyond;
      return absl::OkStatus();
    }
  }
  absl::StatusOr<std::optional<v1::RunEvent>> next = ReadNextEvent(store.spool(), run, found.position);
  if (next.ok() && next->has_value()) {
    found.kind = Found::Kind::kEvent;
    found.event = *std::move(*next);
    return absl::OkStatus();
  }
  if (!next.ok() && !absl::IsNotFound(next.status())) {
    return next.status();
  }
  ASSIGN_OR_RETURN(const std::optional<StoredRun> stored, store.records().Find(caller, run));
  if (!stored.has_value() || !next.ok()) {
    found.kind = Found::Kind::kMissing;
  } else if (stored->run.state() == v1::Run::FINISHED) {
    found.kind = Found::Kind::kEnd;
    found.event = FinishedEvent(stored->run.result());
  } else {
    found.kind = Found::Kind::kWait;
  }
  return absl::OkStatus();
}

}  // namespace

class Followers::Follower final : public ClientStreamOwner, public std::enable_shared_from_this<Follower> {
 public:
  Follower(Followers& all, Caller caller, const RunId& run, const FollowPosition& from,
           std::shared_ptr<ClientStream> client)
      : all_(all), caller_(std::move(caller)), run_(run), position_(from), client_(std::move(client)) {}

  void Step();
  // There is more; the list of those who wait has it no longer.
  void Woken() {
    waiting_ = false;
    Step();
  }

  // ClientStreamOwner.
  void OnWritten() override;
  void OnInput(const v1::InteractRequest& /*message*/) override {}
  void OnInputEnd() override {}
  void OnGone(GoneReason /*reason*/) override { End(); }

  void Drop() { all_.io_.loop().Cancel(std::exchange(timer_, 0)); }

 private:
  void OnFound(const absl::Status& status, Found& found);
  void Wait();
  void StopWaiting();
  void Refuse(const grpc::Status& status);
  void End();

  Followers& all_;
  const Caller caller_;
  const RunId run_;
  FollowPosition position_;
  std::shared_ptr<ClientStream> client_;  // null once the call is over
  bool first_ = true;
  bool last_ = false;  // `finished` is on its way
  uint64_t sequence_ = 0;
  bool waiting_ = false;
  EventLoop::TimerId timer_ = 0;
};

void Followers::Follower::Step() {
  auto found = std::make_shared<Found>();
  all_.thread_.Read(
      [found, caller = caller_, run = run_, first = first_, position = position_](RunStore& store) {
        *found = Found();
        found->position = position;
        return Look(store, caller, run, first, *found);
      },
      [self = shared_from_this(), found](const absl::Status& status) { self->OnFound(status, *found); });
}

void Followers::Follower::OnFound(const absl::Status& status, Found& found) {
  if (client_ == nullptr) {
    return;
  }
  if (!status.ok()) {
    spdlog::error("follow {}: {}", RunName(run_), Message(status));
    return Refuse(dispatcher::Refuse(Reason::kStorageFailed, "the stored output cannot be read"));
  }
  first_ = false;
  position_ = found.position;
  switch (found.kind) {
    case Found::Kind::kWait:
      return Wait();
    case Found::Kind::kMissing:
      return Refuse(RefuseMissing(Reason::kRunNotFound, "run", RunName(run_)));
    case Found::Kind::kNoOutput:
      return Refuse(dispatcher::Refuse(Reason::kOutputNotStored,
                                       "the output of this run went to the call that started it"));
    case Found::Kind::kBeyond:
      return Refuse(dispatcher::Refuse(Reason::kOffsetOutOfRange,
                                       "an offset is beyond what the run has written so far"));
    case Found::Kind::kEnd:
      found.event.set_sequence(++sequence_);
      if (found.event.ByteSizeLong() <= kMostLastBytes) {
        std::exchange(client_, nullptr)->WriteLast(found.event);
        return End();
      }
      last_ = true;  // As in run.cc: gRPC would keep it for as long as the client likes.
      break;
    case Found::Kind::kEvent:
      break;
  }
  found.event.set_sequence(++sequence_);
  timer_ = all_.io_.loop().At(MonotonicNanos() + kIdleTimeoutMs * kNanosPerMilli, [this] {
    timer_ = 0;
    client_->Abort();
    End();
  });
  client_->Write(found.event, ClientStream::Leaves::kAtOnce);
}

void Followers::Follower::OnWritten() {
  all_.io_.loop().Cancel(std::exchange(timer_, 0));
  if (client_ == nullptr) {
    return;
  }
  if (last_) {
    std::exchange(client_, nullptr)->Finish(grpc::Status::OK);
    return End();
  }
  Step();
}

void Followers::Follower::Wait() {
  waiting_ = true;
  all_.waiting_.emplace(run_, this);
}

void Followers::Follower::StopWaiting() {
  if (!std::exchange(waiting_, false)) {
    return;
  }
  const auto [begin, end] = all_.waiting_.equal_range(run_);
  for (auto at = begin; at != end; ++at) {
    if (at->second == this) {
      all_.waiting_.erase(at);
      return;
    }
  }
}

void Followers::Follower::Refuse(const grpc::Status& status) {
  std::exchange(client_, nullptr)->Finish(status);
  End();
}

void Followers::Follower::End() {
  const std::shared_ptr<Follower> self = shared_from_this();
  client_ = nullptr;
  StopWaiting();
  Drop();
  all_.all_.erase(self);
}

Followers::~Followers() {
  for (const std::shared_ptr<Follower>& follower : all_) {
    follower->Drop();
  }
}

void Followers::Begin(const Caller& caller, const RunId& run, const FollowPosition& from,
                      std::shared_ptr<ClientStream> client) {
  if (client->gone()) {
    return;
  }
  const auto follower = std::make_shared<Follower>(*this, caller, run, from, client);
  all_.insert(follower);
  client->SetOwner(follower);
  follower->Step();
}

void Followers::OnMore(const RunId& run) {
  const auto [begin, end] = waiting_.equal_range(run);
  std::vector<Follower*> woken;
  for (auto at = begin; at != end; ++at) {
    woken.push_back(at->second);
  }
  waiting_.erase(begin, end);
  for (Follower* follower : woken) {
    follower->Woken();
  }
}

}  // namespace caisson::dispatcher
