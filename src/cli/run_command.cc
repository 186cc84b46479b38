// Theory of operation. The main thread prepares the request and then reads the stream of events (run_call.h).
// InterruptWatcher's thread turns the first Ctrl-C into CancelRun (or, before the run has a name, into the
// end of the call); the stream then still delivers `finished`, so this program leaves only after the run has
// ended. Where the program is to be talked to, InputForwarder's thread sends standard input along as it
// comes; with --tty the terminal is raw, and Ctrl-C is a byte like any other.
#include "cli/run_command.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/input_forwarder.h"
#include "cli/interrupt.h"
#include "cli/output_directory.h"
#include "cli/prepared_request.h"
#include "cli/run_call.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

int ComplainStatus(const absl::Status& status) {
  Complain(Printable(Message(status)));
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitService;
}

// A background job that reads its terminal is stopped, so only the foreground one is listened to.
bool IsForegroundTerminal() { return isatty(STDIN_FILENO) != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp(); }

// Whether standard input is to be sent as it comes, rather than whole with the request.
bool Streams(const RunOptions& options) {
  if (options.main_file == "-" || options.no_stdin) {
    return false;
  }
  return options.tty || options.interactive || (!options.json && IsForegroundTerminal());
}

InputForwarder::Source SourceOf(const RunOptions& options) {
  if (!Streams(options)) {
    return InputForwarder::Source::kNothing;
  }
  return options.tty ? InputForwarder::Source::kTerminal : InputForwarder::Source::kPipe;
}

absl::StatusOr<std::optional<OutputDirectory>> OpenOutputs(const RunOptions& options) {
  std::optional<OutputDirectory> outputs;
  // With --json the content is in the object; a directory is then only used when it is asked for.
  if (!options.outputs_directory.empty() || (!options.output_paths.empty() && !options.json)) {
    const std::string path = options.outputs_directory.empty() ? "." : options.outputs_directory;
    ASSIGN_OR_RETURN(OutputDirectory opened,
                     OutputDirectory::Open(path, options.force ? OutputDirectory::Existing::kReplace
                                                               : OutputDirectory::Existing::kKeep));
    outputs.emplace(std::move(opened));
  }
  return outputs;
}

v1::InteractRequest::Open OpenMessage(const RunOptions& options, v1::ExecuteRequest request) {
  v1::InteractRequest::Open open;
  *open.mutable_request() = std::move(request);
  if (options.tty) {
    const TerminalSize size = ReadTerminalSize(STDIN_FILENO);
    open.mutable_terminal()->set_rows(size.rows);
    open.mutable_terminal()->set_columns(size.columns);
    const char* term = std::getenv("TERM");
    open.mutable_terminal()->set_term(term == nullptr ? "" : term);
  }
  return open;
}

}  // namespace

int RunCommand(const RunOptions& options, const Server& server, v1::RunResult* result) {
  absl::StatusOr<std::unique_ptr<InterruptWatcher>> watcher = InterruptWatcher::Create();
  if (!watcher.ok()) {
    return ComplainStatus(watcher.status());
  }
  absl::StatusOr<std::unique_ptr<InputForwarder>> input = InputForwarder::Create(SourceOf(options));
  if (!input.ok()) {
    return ComplainStatus(input.status());
  }
  absl::StatusOr<std::optional<OutputDirectory>> outputs = OpenOutputs(options);
  if (!outputs.ok()) {
    return ComplainStatus(outputs.status());
  }
  Client client(server);
  RunCall call(client, options, outputs->has_value() ? &**outputs : nullptr);
  // Until there is a call to cancel, Ctrl-C has nothing to wait for.
  std::atomic<bool> calling{false};
  (*watcher)->Start([&call, &calling] {
    if (!calling.load()) {
      _exit(kExitCanceled);
    }
    call.Interrupt();
  });
  absl::StatusOr<v1::ExecuteRequest> request =
      PrepareRequest(options, client, Streams(options) ? StdinUse::kStreamed : StdinUse::kWhole);
  if (!request.ok()) {
    return ComplainStatus(request.status());
  }
  const bool large = request->ByteSizeLong() > kMaxRequestBytes;
  RawTerminal terminal;
  if (options.tty) {
    if (const absl::Status status = terminal.Enter(); !status.ok()) {
      return ComplainStatus(status);
    }
  }
  calling.store(true);
  const int code = Streams(options) || large
                       ? call.Interact(OpenMessage(options, *std::move(request)), **input)
                       : call.Execute(*request);
  watcher->reset();  // its thread uses `call` and `client`
  if (result != nullptr) {
    *result = call.result();
  }
  return code;
}

}  // namespace caisson::cli
