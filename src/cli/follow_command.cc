#include "cli/follow_command.h"

#include <memory>
#include <optional>
#include <utility>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/follow_call.h"
#include "cli/interrupt.h"
#include "cli/output_directory.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

int ComplainStatus(const absl::Status& status) {
  Complain(Printable(Message(status)));
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitService;
}

}  // namespace

int FollowCommand(const FollowOptions& options, const Server& server) {
  absl::StatusOr<std::unique_ptr<InterruptWatcher>> watcher = InterruptWatcher::Create();
  if (!watcher.ok()) {
    return ComplainStatus(watcher.status());
  }
  std::optional<OutputDirectory> outputs;
  if (!options.outputs_directory.empty()) {
    absl::StatusOr<OutputDirectory> opened =
        OutputDirectory::Open(options.outputs_directory, options.force ? OutputDirectory::Existing::kReplace
                                                                       : OutputDirectory::Existing::kKeep);
    if (!opened.ok()) {
      return ComplainStatus(opened.status());
    }
    outputs.emplace(*std::move(opened));
  }
  Client client(server);
  FollowCall call(client, options, outputs.has_value() ? &*outputs : nullptr);
  (*watcher)->Start([&call] { call.Interrupt(); });
  const int code = call.Follow();
  watcher->reset();  // its thread uses `call`
  return code;
}

}  // namespace caisson::cli
