// Fuzzes the order of an Interact call's messages: the dispatcher's own opening, uploads, runs and run
// manager on one thread; the input plays the client (messages, what it reads, when it goes) and caissond.
// Whatever comes, in whatever order, the call ends once: before `accepted` with a status that has a reason,
// after it with OK and one `finished`, the last event; it is never more than one run, caissond never hears
// what it would call a violation, and nothing of the run or its uploads is left.
#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"
#include "dispatcher/client_stream.h"
#include "dispatcher/errors.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/request_intake.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/status_details.h"
#include "dispatcher/supervisor_link.h"
#include "dispatcher/test_profiles.h"
#include "played_supervisor.h"

namespace caisson::dispatcher {
namespace {

constexpr int kMaxStepsToTheEnd = 10'000;
constexpr uint64_t kUploadBytes = 4UL * 1024 * 1024;
constexpr uint64_t kMemoryBytes = 8ULL << 30U;

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  uint8_t Byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  std::string Bytes(size_t count) {
    const auto taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }
  template <typename T, size_t N>
  const T& Pick(const std::array<T, N>& choices) {
    return choices[Byte() % N];
  }

 private:
  std::span<const uint8_t> bytes_;
};

// The client's end, without gRPC: what InteractReactor does with messages is repeated in Session.
class PlayedClient final : public ClientStream {
 public:
  void SetOwner(std::weak_ptr<ClientStreamOwner> owner) override { owner_ = std::move(owner); }
  bool gone() const override { return gone_; }
  void Write(const v1::RunEvent& event, Leaves leaves) override {
    CAISSON_CHECK(leaves == Leaves::kAtOnce || events_ > 0);
    CAISSON_CHECK(!writing_ && !over() && !has_result_);
    CAISSON_CHECK(event.sequence() == ++events_);
    CAISSON_CHECK(accepted_ != (event.has_accepted() || event.has_queued()));
    accepted_ = accepted_ || event.has_accepted();
    has_result_ = event.has_finished();
    writing_ = true;
  }
  void WriteLast(const v1::RunEvent& event) override {
    CAISSON_CHECK(event.has_finished() && accepted_);
    Write(event, Leaves::kAtOnce);
    writing_ = false;
    Finish(grpc::Status::OK);
  }
  void ReadNext() override { reading_ = true; }
  void Finish(const grpc::Status& status) override {
    CAISSON_CHECK(!writing_ && !over());
    CAISSON_CHECK(status.ok() == accepted_ && status.ok() == has_result_);
    CAISSON_CHECK(status.ok() || (!ReasonOf(status).empty() && !status.error_message().empty()));
    finished_ = true;
  }
  void Abort() override { CAISSON_CHECK(false); }  // Only a client that takes nothing for 30 s.

  bool over() const { return finished_ || gone_; }
  // It asks for another message; asked once for each.
  bool TakeRead() { return std::exchange(reading_, false); }
  // The client takes the event that is on its way to it.
  void TakeEvent() {
    if (std::exchange(writing_, false)) {
      if (const auto owner = owner_.lock(); owner != nullptr) {
        owner->OnWritten();
      }
    }
  }
  void Leave(GoneReason reason) {
    if (!over()) {
      gone_ = true;
      writing_ = false;
      if (const auto owner = std::exchange(owner_, {}).lock(); owner != nullptr) {
        owner->OnGone(reason);
      }
    }
  }
  std::shared_ptr<ClientStreamOwner> owner() const { return owner_.lock(); }

 private:
  std::weak_ptr<ClientStreamOwner> owner_;
  uint64_t events_ = 0;
  bool accepted_ = false;
  bool has_result_ = false;
  bool writing_ = false;
  bool reading_ = true;
  bool finished_ = false;
  bool gone_ = false;
};

v1::InteractRequest OpenMessage(Input& input) {
  static constexpr std::array<const char*, 6> kProfiles{"python", "python", "rust",
                                                        "native", "cobol",  "none"};
  v1::InteractRequest message;
  v1::InteractRequest::Open& open = *message.mutable_open();
  *open.mutable_request() = ValidExecuteRequest();
  open.mutable_request()->set_profile(input.Pick(kProfiles));
  open.mutable_request()->set_main_file("main.py");
  const uint8_t flags = input.Byte();
  if ((flags & 1U) != 0) {
    open.mutable_terminal()->set_rows(flags);
  }
  if ((flags & 2U) != 0) {
    open.set_files_to_follow(flags >> 4U);
  }
  if ((flags & 4U) != 0) {
    open.mutable_request()->clear_files();
    open.mutable_request()->set_main_file("f1");
  }
  if ((flags & 8U) != 0) {
    open.mutable_request()->add_output_paths("out");
    open.mutable_request()->set_stdin("first");
  }
  return message;
}

v1::InteractRequest ChunkMessage(Input& input) {
  static constexpr std::array<const char*, 8> kPaths{"f1",       "f1",      "f2",   "f3",
                                                     "f1/below", "main.py", "../f", ""};
  static constexpr std::array<size_t, 6> kSizes{
      0, 1, 1, 100, FileUpload::kMaxChunkBytes, FileUpload::kMaxChunkBytes + 1};
  v1::InteractRequest message;
  v1::InteractRequest::FileChunk& chunk = *message.mutable_file();
  chunk.set_path(input.Pick(kPaths));
  chunk.set_data(std::string(input.Pick(kSizes), 'x'));
  const uint8_t flags = input.Byte();
  chunk.set_last((flags & 1U) != 0);
  chunk.set_executable((flags & 2U) != 0);
  return message;
}

v1::InteractRequest NextMessage(uint8_t kind, Input& input) {
  static constexpr std::array<size_t, 4> kSizes{0, 1, kMaxStdinMessageBytes, kMaxStdinMessageBytes + 1};
  static constexpr std::array<const char*, 6> kSignals{"INT", "TERM", "WINCH", "KILL", "", "USR1"};
  static constexpr std::array<uint32_t, 4> kSides{0, 1, kMaxTerminalSide, kMaxTerminalSide + 1};
  v1::InteractRequest message;
  switch (kind) {
    case 0:
      return OpenMessage(input);
    case 1:
      return ChunkMessage(input);
    case 2:
      message.set_stdin(std::string(input.Pick(kSizes), 'x'));
      break;
    case 3:
      message.mutable_eof();
      break;
    case 4:
      message.mutable_signal()->set_name(input.Pick(kSignals));
      break;
    case 5:
      message.mutable_resize()->set_rows(input.Pick(kSides));
      message.mutable_resize()->set_columns(input.Pick(kSides));
      break;
    case 6:
      message.mutable_cancel();
      break;
    case 7:
      break;  // without content
    default:
      if (!message.ParseFromString(input.Bytes(input.Byte()))) {
        message.Clear();  // as InteractReactor does
      }
      break;
  }
  return message;
}

class Session {
 public:
  Session(const RequestIntake& intake, Input input)
      : input_(input), flags_(input_.Byte()), intake_(intake), opening_(std::in_place, intake, RunSpec()) {
    auto ends = MakePacketSocketPair();
    CAISSON_CHECK(ends.ok());
    supervisor_.emplace(std::move(ends->second));
    io_ = *IoThread::Create();
    link_ = std::make_unique<SupervisorLink>(io_->loop(), std::move(ends->first));
    auto hello = ipc::Make<ipc::Hello>();
    hello.max_sandboxes = 1;
    hello.queue_length = 1;
    hello.cpu_millis = 1'000;
    hello.memory_budget_bytes = kMemoryBytes;
    hello.cgroup_backend = static_cast<uint32_t>(ipc::CgroupBackend::kHybrid);
    manager_ = std::make_unique<RunManager>(*io_, *link_, *OpenFile("/dev/null", O_WRONLY | O_CLOEXEC), hello,
                                            RunManager::Parts{});
    CAISSON_CHECK(
        link_
            ->Start([this](const ipc::Reply& reply,
                           std::vector<UniqueFd> fds) { manager_->OnMessage(reply, std::move(fds)); },
                    [this](const absl::Status& reason) { manager_->OnSupervisorLost(reason); })
            .ok());
  }

  void Run() {
    if ((flags_ & 1U) != 0) {
      OccupyThePlace();
    }
    io_->Post([this] { Step(); });
    CAISSON_CHECK(io_->loop().Run().ok());
    CAISSON_CHECK(client_->over());
    CAISSON_CHECK(supervisor_->runs() <= (neighbour_ == nullptr ? 1U : 2U));
  }

 private:
  // Another run has the only place, so that this one waits in the queue.
  void OccupyThePlace() {
    neighbour_ = std::make_shared<PlayedClient>();
    RunSpec spec;
    v1::ExecuteRequest request = ValidExecuteRequest();
    CAISSON_CHECK(intake_.Accept(request, spec).ok());
    spec.received_ns = MonotonicNanos();
    manager_->Submit(std::move(spec), neighbour_);
  }

  // One thing that happens, and then a turn of the loop.
  void Step() {
    supervisor_->Receive();
    if (!input_.empty()) {
      Happen(input_.Byte() % 16);
    } else {
      MoveToTheEnd();
    }
    DeliverMessage();
    if (idle_) {
      return io_->loop().Stop();
    }
    io_->Post([this] { Step(); });
  }

  void Happen(uint8_t what) {
    using Fate = PlayedSupervisor::Fate;
    static constexpr std::array kFates{Fate::kKind,  Fate::kKind,   Fate::kRefused, Fate::kExits,
                                       Fate::kFails, Fate::kPrints, Fate::kGoes};
    switch (what) {
      case 9:
        half_closed_ = true;
        return;
      case 10:
        return client_->Leave((input_.Byte() & 1U) != 0 ? GoneReason::kDeadline : GoneReason::kDisconnected);
      case 11:
        return client_->TakeEvent();
      case 12:
      case 13:
        return supervisor_->Advance(input_.Pick(kFates));
      case 14:
        if (neighbour_ != nullptr) {
          neighbour_->Leave(GoneReason::kDisconnected);
        }
        return;
      case 15:
        if (input_.Byte() == 0xff) {
          supervisor_->Die();
        } else if (input_.Byte() == 0xff) {
          manager_->Drain();
        }
        return;
      default:
        if (!half_closed_) {
          sent_.push_back(NextMessage(what, input_));
        }
    }
  }

  // The input is over: the client has sent its last and reads, caissond is kind, and everything must end.
  void MoveToTheEnd() {
    CAISSON_CHECK(++steps_to_the_end_ < kMaxStepsToTheEnd);
    half_closed_ = true;
    client_->TakeEvent();
    if (neighbour_ != nullptr) {
      neighbour_->Leave(GoneReason::kDisconnected);
    }
    supervisor_->Advance(PlayedSupervisor::Fate::kExits);
    if (client_->over() && !std::exchange(waits_, true)) {
      manager_->WhenIdle([this] { idle_ = true; });
    }
  }

  // As InteractReactor: one at a time, and only when it is asked for.
  void DeliverMessage() {
    if (client_->over()) {
      return;
    }
    if (sent_.empty()) {
      if (half_closed_ && !std::exchange(told_end_, true)) {
        HandleInputEnd();
      }
      return;
    }
    if (!client_->TakeRead()) {
      return;
    }
    v1::InteractRequest message = std::move(sent_.front());
    sent_.pop_front();
    if (submitted_) {
      if (const auto owner = client_->owner(); owner != nullptr) {
        owner->OnInput(message);
      }
      return;
    }
    RunSpec spec;
    bool complete = false;
    const grpc::Status status = opening_->Take(message, spec, complete);
    if (!status.ok()) {
      opening_.reset();
      return client_->Finish(status);
    }
    if (complete) {
      opening_.reset();
      submitted_ = true;
      manager_->Submit(std::move(spec), client_);
    }
    client_->ReadNext();
  }

  void HandleInputEnd() {
    if (!submitted_) {
      opening_.reset();
      client_->Finish(Refuse(Reason::kInputOutOfOrder, "the call ended before it was opened"));
    } else if (const auto owner = client_->owner(); owner != nullptr) {
      owner->OnInputEnd();
    }
  }

  Input input_;
  const uint8_t flags_;
  const RequestIntake& intake_;
  std::optional<InteractOpening> opening_;
  std::optional<PlayedSupervisor> supervisor_;
  std::unique_ptr<IoThread> io_;
  std::unique_ptr<SupervisorLink> link_;
  std::unique_ptr<RunManager> manager_;
  std::shared_ptr<PlayedClient> client_ = std::make_shared<PlayedClient>();
  std::shared_ptr<PlayedClient> neighbour_;
  std::deque<v1::InteractRequest> sent_;  // and not yet taken
  bool half_closed_ = false;
  bool told_end_ = false;
  bool submitted_ = false;
  bool waits_ = false;
  bool idle_ = false;
  int steps_to_the_end_ = 0;
};

void FuzzOne(std::span<const uint8_t> bytes) {
  static const ProfileCatalog catalog = TestCatalog();
  static const RequestIntake intake(catalog, kMemoryBytes, kUploadBytes);
  static const bool quiet = [] {
    spdlog::set_level(spdlog::level::off);
    signal(SIGPIPE, SIG_IGN);  // as the program does
    return true;
  }();
  static_cast<void>(quiet);
  std::make_unique<Session>(intake, Input(bytes))->Run();
  CAISSON_CHECK(intake.upload_bytes() == 0);
}

}  // namespace
}  // namespace caisson::dispatcher

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::dispatcher::FuzzOne(std::span(data, size));
  return 0;
}
