// The bytes and events of one run: the client on one side, the sandbox's pipes on the other (run.h).
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "common/status.h"
#include "dispatcher/convert.h"
#include "dispatcher/run.h"

namespace caisson::dispatcher {

std::unique_ptr<OutputPump> Run::MakePump(Lane lane) {
  OutputPump::Handlers handlers;
  // A quick program's output can overtake STARTED on its way through caissond; the client hears `started`
  // first.
  handlers.has_room = [this, lane] { return state_ != State::kStarting && events_out_.HasRoom(lane); };
  handlers.on_data = [this, lane](uint64_t offset, std::string data) {
    Push(lane,
         OutputEvent(lane == Lane::kStdout ? v1::STREAM_STDOUT : v1::STREAM_STDERR, offset, std::move(data)));
  };
  handlers.on_limit = [this, lane] { OnOutputLimit(lane); };
  handlers.on_end = [this] { CompleteIfDrained(); };
  return std::make_unique<OutputPump>(loop_, host_.pump_resources(),
                                      spec_.limits.Get(policy::LimitId::kOutputBytes), std::move(handlers));
}

void Run::Push(Lane lane, v1::RunEvent event) {
  if (client_ != nullptr) {
    events_out_.Push(lane, std::move(event));
  }
  WriteNext();
}

void Run::WriteNext() {
  if (state_ == State::kEnded || events_out_.writing()) {
    return;
  }
  if (client_ != nullptr && !events_out_.empty()) {
    client_->Write(events_out_.TakeNext());
    return;
  }
  if (state_ == State::kDelivering) {
    if (client_ != nullptr) {
      std::exchange(client_, nullptr)->Finish(grpc::Status::OK);
    }
    End();
  }
}

void Run::OnWritten() {
  events_out_.Written();
  if (refusal_.has_value()) {
    const grpc::Status status = *std::exchange(refusal_, std::nullopt);
    Refuse(status);
    return;
  }
  if (state_ == State::kDraining || state_ == State::kDelivering) {
    ArmDeliveryTimer();
  }
  ResumePumps();
  WriteNext();
}

void Run::ResumePumps() {
  for (OutputPump* pump : {stdout_.get(), stderr_.get()}) {
    if (pump != nullptr && !pump->ended()) {
      pump->Resume();
    }
  }
}

void Run::OnGone(GoneReason reason) {
  client_ = nullptr;
  events_out_.Clear();
  if (events_out_.writing()) {
    events_out_.Written();
  }
  if (refusal_.has_value()) {
    End();
    return;
  }
  for (OutputPump* pump : {stdout_.get(), stderr_.get()}) {
    if (pump != nullptr && !pump->ended()) {
      pump->Discard();
    }
  }
  if (state_ == State::kDraining) {
    ArmDeliveryTimer();
  }
  Cancel(reason == GoneReason::kDeadline ? ipc::CancelReason::kDeadline : ipc::CancelReason::kDisconnected);
  WriteNext();
}

void Run::End() {
  if (state_ != State::kEnded) {
    loop_.Cancel(delivery_timer_);
    SetState(State::kEnded);
    host_.OnEnded(key_);
  }
}

// --- Events of init
// -----------------------------------------------------------------------------------------------

// Once `started` is told, or will never be: again and again without harm.
void Run::BeginReading() {
  ResumePumps();
  if (!events_in_.valid() || events_watched_) {
    return;
  }
  events_watched_ = true;
  const absl::Status status =
      loop_.Watch(events_in_.get(), EPOLLIN, [this](uint32_t /*events*/) { OnEventsReady(); });
  if (!status.ok()) {
    OnPipesFailed(status);
  }
}

void Run::OnEventsReady() {
  std::array<std::byte, 4096> buffer{};
  const ssize_t got = read(events_in_.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  std::vector<wire::Event> events;
  const absl::Status status =
      got > 0 ? decoder_.Feed(std::span(buffer).first(static_cast<size_t>(got)), events) : decoder_.Finish();
  for (const wire::Event& event : events) {
    denials_.Add(event);
    if (event.type == wire::EventType::kDenial) {
      Push(Lane::kControl, DenialEvent(event));  // The decoder bounds their number.
    }
  }
  if (!status.ok()) {
    spdlog::warn("run {}: its events are broken: {}", RunName(spec_.id), Message(status));
  }
  if (got <= 0 || !status.ok()) {
    CloseEvents();
    CompleteIfDrained();
  }
}

void Run::ClosePipes() {
  for (OutputPump* pump : {stdout_.get(), stderr_.get()}) {
    if (pump != nullptr) {
      pump->Close();
    }
  }
  CloseEvents();
}

void Run::CloseEvents() {
  if (events_in_.valid()) {
    loop_.Unwatch(events_in_.get());
    events_in_.reset();
  }
}

}  // namespace caisson::dispatcher
