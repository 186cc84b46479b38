#include "cli/create_command.h"

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/prepared_request.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {

int CreateCommand(const CreateOptions& options, const Server& server) {
  Client client(server);
  absl::StatusOr<v1::ExecuteRequest> request = PrepareRequest(options.run, client, StdinUse::kWhole);
  if (!request.ok()) {
    Complain(Printable(Message(request.status())));
    return absl::IsInvalidArgument(request.status()) ? kExitUsage : kExitService;
  }
  if (request->ByteSizeLong() > kMaxRequestBytes) {
    Complain("the request has more than " + BytesText(kMaxRequestBytes) +
             "; only `caisson run` sends files in chunks");
    return kExitService;
  }
  request->set_request_id(options.request_id);
  v1::Run run;
  if (const grpc::Status status = client.CreateRun(*request, run); !status.ok()) {
    Complain(client.Explain(status));
    return kExitService;
  }
  return options.json ? PrintJson(run) : Print(Printable(run.name()) + "\n");
}

}  // namespace caisson::cli
