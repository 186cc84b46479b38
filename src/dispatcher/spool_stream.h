// The client that a run of CreateRun has: its spool. Takes the run's events as a client's stream would,
// stores them, and slows the run down where the disk is slower. On the I/O thread; the writing is the record
// thread's.
#ifndef CAISSON_DISPATCHER_SPOOL_STREAM_H_
#define CAISSON_DISPATCHER_SPOOL_STREAM_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dispatcher/client_stream.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/run_name.h"
#include "dispatcher/spool_format.h"

namespace caisson::dispatcher {

class SpoolStream final : public ClientStream, public std::enable_shared_from_this<SpoolStream> {
 public:
  // Of one run, on the way to the disk; beyond it the run waits.
  static constexpr uint64_t kMaxInFlightBytes = 512UL * 1024;

  struct Handlers {
    std::function<void()> on_stored;  // there is more to read
    std::function<void()> on_broken;  // once: an output or event could not be stored
  };

  SpoolStream(IoThread& io, RecordThread& thread, const RunId& id, Handlers handlers)
      : io_(io), thread_(thread), id_(id), handlers_(std::move(handlers)) {}

  // ClientStream.
  void SetOwner(std::weak_ptr<ClientStreamOwner> owner) override { owner_ = std::move(owner); }
  bool gone() const override { return false; }
  bool stores() const override { return true; }
  void Write(const v1::RunEvent& event, Leaves leaves) override;
  // `finished` is not a part of the spool: it comes from the record.
  void WriteLast(const v1::RunEvent& /*event*/) override {}
  void Finish(const grpc::Status& status) override {
    if (!status.ok()) {
      refusal_ = status;
    }
  }
  // The disk took nothing for as long as a client may.
  void Abort() override { broken_ = true; }

  // With what the run was refused before it began.
  const std::optional<grpc::Status>& refusal() const { return refusal_; }
  bool broken() const { return broken_; }
  // Some of the files that came back are not stored.
  bool files_broken() const { return files_broken_; }

 private:
  void Take(const v1::RunEvent& event);
  void Store(SpoolPart part, uint64_t offset, std::string bytes);
  void Append(SpoolPart part, std::string frame);
  void OnStored(SpoolPart part, uint64_t bytes, const absl::Status& status);
  void Break(SpoolPart part);
  void Acknowledge();

  IoThread& io_;
  RecordThread& thread_;
  const RunId id_;
  const Handlers handlers_;
  std::weak_ptr<ClientStreamOwner> owner_;
  SpoolSizes sizes_{};  // what was given to the record thread
  uint64_t in_flight_bytes_ = 0;
  bool owes_ = false;  // the run waits for the word that its event is written
  bool broken_ = false;
  bool files_broken_ = false;
  std::optional<grpc::Status> refusal_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SPOOL_STREAM_H_
