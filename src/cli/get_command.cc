// Untrusted: all that the server says.
#include "cli/get_command.h"

#include <google/protobuf/util/time_util.h>

#include <vector>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/result_text.h"
#include "cli/streams.h"
#include "cli/text.h"

namespace caisson::cli {
namespace {

using google::protobuf::util::TimeUtil;

std::string TimeText(const google::protobuf::Timestamp& time) {
  const bool in_range =
      time.seconds() >= TimeUtil::kTimestampMinSeconds && time.seconds() <= TimeUtil::kTimestampMaxSeconds;
  google::protobuf::Timestamp whole;
  whole.set_seconds(time.seconds());
  return in_range ? TimeUtil::ToString(whole) : "?";
}

}  // namespace

std::string RunText(const v1::Run& run) {
  std::vector<std::vector<std::string>> rows{{"name", Printable(run.name(), kMaxCellBytes)},
                                             {"profile", Printable(run.profile(), kMaxCellBytes)},
                                             {"state", StateText(run.state())},
                                             {"created", TimeText(run.create_time())}};
  if (run.has_end_time()) {
    rows.push_back({"ended", TimeText(run.end_time())});
  }
  if (!run.request_id().empty()) {
    rows.push_back({"request id", Printable(run.request_id(), kMaxCellBytes)});
  }
  for (const auto& [key, value] : run.labels()) {
    rows.push_back({"label", Printable(key, kMaxCellBytes) + "=" + Printable(value, kMaxCellBytes)});
  }
  if (run.has_result()) {
    rows.push_back({"verdict", VerdictText(run.result().verdict())});
    if (run.result().has_exit_code()) {
      rows.push_back({"exit code", std::to_string(run.result().exit_code())});
    }
    rows.push_back({"message", Printable(run.result().message())});
  }
  return TableText(rows);
}

int GetCommand(const GetOptions& options, const Server& server) {
  Client client(server);
  v1::Run run;
  if (const grpc::Status status = client.GetRun(RunName(options.name), run); !status.ok()) {
    Complain(client.Explain(status));
    return kExitService;
  }
  return options.json ? PrintJson(run) : Print(RunText(run));
}

}  // namespace caisson::cli
