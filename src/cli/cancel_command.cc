#include "cli/cancel_command.h"

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/result_text.h"
#include "cli/streams.h"
#include "cli/text.h"

namespace caisson::cli {

int CancelCommand(const std::string& name, const Server& server) {
  Client client(server);
  v1::Run run;
  if (const grpc::Status status = client.CancelRun(RunName(name), run); !status.ok()) {
    Complain(client.Explain(status));
    return kExitService;
  }
  const bool had_ended = run.state() == v1::Run::FINISHED && run.result().verdict() != v1::CANCELED;
  return Print(Printable(run.name()) +
               (had_ended ? " had already finished: " + VerdictText(run.result().verdict()) : " canceled") +
               "\n");
}

}  // namespace caisson::cli
