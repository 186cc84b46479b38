// Theory of operation. The main thread reads the stream of events and writes the program's output with
// write(2), so a slow reader of ours slows the run. InterruptWatcher's thread turns the first Ctrl-C into
// CancelRun (or, before the run has a name, into the end of the call); the stream then still delivers
// `finished`, so this program leaves only after the run has ended.
#include "cli/run_command.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/result_text.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

void Complain(const std::string& line) { std::fprintf(stderr, "caisson: %s\n", line.c_str()); }

int ComplainStatus(const absl::Status& status) {
  Complain(Printable(Message(status)));
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitService;
}

// Writes all of `data`; 0, or the errno that stopped it.
int WriteAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = write(fd, data.data(), data.size());
    if (count >= 0) {
      data.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd wanted{fd, POLLOUT, 0};
      if (poll(&wanted, 1, -1) < 0 && errno != EINTR) {
        return errno;
      }
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// One Execute call. Interrupt() may come from another thread at any time; everything else is the main
// thread's.
class RunCall {
 public:
  RunCall(Client& client, const RunOptions& options) : client_(client), options_(options) {}

  // Ends the run: by name once it has one, so that its result still arrives.
  void Interrupt();
  // Returns the exit code.
  int Execute(const v1::ExecuteRequest& request);

 private:
  void Handle(v1::RunEvent& event);
  void HandleOutput(const v1::Output& output);
  int Conclude(const grpc::Status& status);
  int ConcludeWithResult();

  Client& client_;
  const RunOptions& options_;
  grpc::ClientContext context_;
  std::mutex mutex_;
  std::string name_;          // guarded by mutex_
  bool interrupted_ = false;  // guarded by mutex_
  bool finished_ = false;
  bool reader_gone_ = false;  // of our own standard output
  int write_error_ = 0;
  v1::RunResult result_;
  std::string stdout_bytes_;  // with --json
  std::string stderr_bytes_;
};

void RunCall::Interrupt() {
  std::string name;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    interrupted_ = true;
    name = name_;
  }
  v1::Run run;
  if (name.empty() || !client_.CancelRun(name, run).ok()) {
    context_.TryCancel();
  }
}

void RunCall::HandleOutput(const v1::Output& output) {
  const bool is_stdout = output.stream() == v1::STREAM_STDOUT;
  if (options_.json) {
    (is_stdout ? stdout_bytes_ : stderr_bytes_) += output.data();
    return;
  }
  if (reader_gone_ || write_error_ != 0) {
    return;
  }
  const int error = WriteAll(is_stdout ? STDOUT_FILENO : STDERR_FILENO, output.data());
  if (error != 0 && is_stdout) {
    // Nobody reads what the program prints (| head), or it cannot be kept (disk full): the run is for
    // nothing.
    reader_gone_ = error == EPIPE;
    write_error_ = error;
    context_.TryCancel();
  }
}

void RunCall::Handle(v1::RunEvent& event) {
  switch (event.event_case()) {
    case v1::RunEvent::kQueued:
      if (!options_.json && isatty(STDERR_FILENO) != 0) {
        Complain("waiting, position " + std::to_string(event.queued().position()));
      }
      break;
    case v1::RunEvent::kAccepted: {
      const std::lock_guard<std::mutex> lock(mutex_);
      name_ = event.accepted().name();
      break;
    }
    case v1::RunEvent::kOutput:
      HandleOutput(event.output());
      break;
    case v1::RunEvent::kFinished:
      finished_ = true;
      result_ = std::move(*event.mutable_finished());
      break;
    default:
      break;  // a newer server may send more kinds of events
  }
}

int RunCall::ConcludeWithResult() {
  if (options_.json) {
    if (const int error =
            WriteAll(STDOUT_FILENO, RunResultJson(result_, stdout_bytes_, stderr_bytes_) + "\n");
        error != 0 && error != EPIPE) {
      Complain(std::string("write to standard output: ") + std::strerror(error));
      return kExitService;
    }
    if (const int code = ExitCodeFor(result_); code != kExitService) {
      return code;
    }
  }
  for (const std::string& line : ResultLines(result_)) {
    Complain(line);
  }
  return ExitCodeFor(result_);
}

int RunCall::Conclude(const grpc::Status& status) {
  if (reader_gone_) {
    return kExitCanceled;
  }
  if (write_error_ != 0) {
    Complain(std::string("write to standard output: ") + std::strerror(write_error_) +
             "; the run was canceled");
    return kExitService;
  }
  if (finished_) {
    return ConcludeWithResult();
  }
  bool interrupted = false;
  bool accepted = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    interrupted = interrupted_;
    accepted = !name_.empty();
  }
  if (interrupted) {
    Complain("canceled");
    return kExitCanceled;
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && options_.timeout_seconds > 0) {
    Complain("canceled: the time given with --timeout is over");
    return kExitCanceled;
  }
  if (status.ok()) {
    Complain("failed: the server ended the call without a result");
  } else {
    Complain((accepted ? "the run was lost: " : "") + client_.Explain(status));
  }
  return kExitService;
}

int RunCall::Execute(const v1::ExecuteRequest& request) {
  if (options_.timeout_seconds > 0) {
    context_.set_deadline(std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              std::chrono::duration<double>(options_.timeout_seconds)));
  }
  const std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader = client_.stub().Execute(&context_, request);
  v1::RunEvent event;
  while (reader->Read(&event)) {
    Handle(event);
  }
  return Conclude(reader->Finish());
}

// The profile's name and the name of a program that came on standard input, asking the server only if it
// must.
absl::Status ResolveProfile(const RunOptions& options, Client& client, v1::Profile& profile) {
  profile.set_name(options.profile);
  const bool from_stdin = options.main_file == "-";
  if (!options.profile.empty() && !from_stdin) {
    return absl::OkStatus();
  }
  std::vector<v1::Profile> profiles;
  if (const grpc::Status status = client.ListProfiles(profiles); !status.ok()) {
    return absl::UnavailableError(client.Explain(status));
  }
  if (options.profile.empty()) {
    ASSIGN_OR_RETURN(profile, GuessProfile(options.main_file, profiles));
    return absl::OkStatus();
  }
  for (const v1::Profile& candidate : profiles) {
    if (candidate.name() == options.profile) {
      profile = candidate;
    }
  }
  return absl::OkStatus();  // an unknown name is the server's to refuse: it knows the nearest ones
}

// Everything that can fail before a call is made.
absl::StatusOr<v1::ExecuteRequest> PrepareRequest(const RunOptions& options, Client& client) {
  ASSIGN_OR_RETURN(v1::ExecuteRequest request, BuildRequest(options));
  v1::Profile profile;
  RETURN_IF_ERROR(ResolveProfile(options, client, profile));
  RETURN_IF_ERROR(AddStandardInput(options, profile.default_main_file(), STDIN_FILENO, request));
  RETURN_IF_ERROR(CheckRequestSize(request));
  request.set_profile(profile.name());
  return request;
}

}  // namespace

int RunCommand(const RunOptions& options, const std::string& address) {
  absl::StatusOr<std::unique_ptr<InterruptWatcher>> watcher = InterruptWatcher::Create();
  if (!watcher.ok()) {
    return ComplainStatus(watcher.status());
  }
  Client client(address);
  RunCall call(client, options);
  // Until there is a call to cancel, Ctrl-C has nothing to wait for.
  std::atomic<bool> calling{false};
  (*watcher)->Start([&call, &calling] {
    if (!calling.load()) {
      _exit(kExitCanceled);
    }
    call.Interrupt();
  });
  const absl::StatusOr<v1::ExecuteRequest> request = PrepareRequest(options, client);
  if (!request.ok()) {
    return ComplainStatus(request.status());
  }
  calling.store(true);
  const int code = call.Execute(*request);
  watcher->reset();  // its thread uses `call` and `client`
  return code;
}

}  // namespace caisson::cli
