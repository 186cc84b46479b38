#include "cli/cancel_command.h"

#include <cstdio>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/result_text.h"
#include "cli/text.h"

namespace caisson::cli {

int CancelCommand(const std::string& name, const std::string& address) {
  Client client(address);
  v1::Run run;
  if (const grpc::Status status = client.CancelRun(RunName(name), run); !status.ok()) {
    std::fprintf(stderr, "caisson: %s\n", client.Explain(status).c_str());
    return kExitService;
  }
  const bool had_ended = run.state() == v1::Run::FINISHED && run.result().verdict() != v1::CANCELED;
  if (had_ended) {
    std::printf("%s had already finished: %s\n", Printable(run.name()).c_str(),
                VerdictText(run.result().verdict()).c_str());
  } else {
    std::printf("%s canceled\n", Printable(run.name()).c_str());
  }
  return kExitOk;
}

}  // namespace caisson::cli
