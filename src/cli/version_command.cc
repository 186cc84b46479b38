#include "cli/version_command.h"

#include <nlohmann/json.hpp>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

// Who the server takes us for; one that is too old does not say.
std::string WhoText(const v1::ServerInfo& info) {
  if (info.role().empty()) {
    return "";
  }
  return ", as " + (info.tenant().empty() ? "" : "tenant " + Printable(info.tenant()) + ", ") + "role " +
         Printable(info.role());
}

}  // namespace

int VersionCommand(bool json, const Server& server) {
  Client client(server);
  v1::ServerInfo info;
  const grpc::Status status = client.GetServerInfo(info);
  if (json) {
    nlohmann::ordered_json out;
    out["client"]["version"] = CAISSON_VERSION;
    if (status.ok()) {
      const absl::StatusOr<std::string> text = MessageJson(info);
      if (!text.ok()) {
        Complain(Printable(Message(text.status())));
        return kExitService;
      }
      out["server"] = nlohmann::ordered_json::parse(*text, nullptr, false);
    }
    return Print(out.dump() + "\n");
  }
  const std::string told =
      status.ok()
          ? "server " + Printable(info.version()) + ", API " + Printable(info.api_revision()) + ", cgroups " +
                Printable(info.cgroup_backend()) + WhoText(info) + ", on " + server.address
          : "server not reachable: " + client.Explain(status);
  return Print("caisson " CAISSON_VERSION "\n" + told + "\n");
}

}  // namespace caisson::cli
