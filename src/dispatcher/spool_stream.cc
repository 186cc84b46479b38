#include "dispatcher/spool_stream.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {

void SpoolStream::Write(const v1::RunEvent& event, Leaves /*leaves*/) {
  Take(event);
  if (in_flight_bytes_ > kMaxInFlightBytes) {
    owes_ = true;
    return;
  }
  // Later: the run is in the middle of giving us this one.
  io_.Post([self = shared_from_this()] { self->Acknowledge(); });
}

void SpoolStream::Take(const v1::RunEvent& event) {
  switch (event.event_case()) {
    case v1::RunEvent::kQueued:
    case v1::RunEvent::kFinished:
      return;
    case v1::RunEvent::kOutput:
      if (const std::optional<SpoolPart> part = PartOf(event.output()); part.has_value() && !broken_) {
        uint64_t& size = sizes_.at(static_cast<size_t>(*part));
        if (event.output().offset() != size) {
          return Break(*part);  // A gap would shift all that follows.
        }
        size += event.output().data().size();
        Store(*part, event.output().offset(), event.output().data());
      }
      return;
    case v1::RunEvent::kOutputFile:
      if (!files_broken_) {
        Append(SpoolPart::kFiles, FileFrame(event.output_file()));
      }
      return;
    default:
      if (!broken_) {
        Append(SpoolPart::kEvents, EventFrame(event, sizes_));
      }
  }
}

void SpoolStream::Append(SpoolPart part, std::string frame) {
  if (frame.empty()) {
    return Break(part);
  }
  uint64_t& size = sizes_.at(static_cast<size_t>(part));
  const uint64_t offset = size;
  size += frame.size();
  Store(part, offset, std::move(frame));
}

void SpoolStream::Store(SpoolPart part, uint64_t offset, std::string bytes) {
  const uint64_t count = bytes.size();
  in_flight_bytes_ += count;
  thread_.Files([id = id_, part, offset, bytes = std::move(bytes)](
                    RunStore& store) { return store.spool().Write(id, part, offset, bytes); },
                [self = shared_from_this(), part, count](const absl::Status& status) {
                  self->OnStored(part, count, status);
                });
}

void SpoolStream::OnStored(SpoolPart part, uint64_t bytes, const absl::Status& status) {
  in_flight_bytes_ -= bytes;
  if (!status.ok()) {
    spdlog::error("run {}: {}", RunName(id_), Message(status));
    Break(part);
  }
  handlers_.on_stored();
  if (owes_ && in_flight_bytes_ <= kMaxInFlightBytes) {
    owes_ = false;
    Acknowledge();
  }
}

void SpoolStream::Break(SpoolPart part) {
  if (part == SpoolPart::kFiles) {
    files_broken_ = true;
  } else if (!std::exchange(broken_, true)) {
    handlers_.on_broken();
  }
}

void SpoolStream::Acknowledge() {
  if (const std::shared_ptr<ClientStreamOwner> owner = owner_.lock(); owner != nullptr) {
    owner->OnWritten();
  }
}

}  // namespace caisson::dispatcher
