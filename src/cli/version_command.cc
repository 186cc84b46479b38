#include "cli/version_command.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {

int VersionCommand(bool json, const std::string& address) {
  Client client(address);
  v1::ServerInfo info;
  const grpc::Status status = client.GetServerInfo(info);
  if (json) {
    nlohmann::ordered_json out;
    out["client"]["version"] = CAISSON_VERSION;
    if (status.ok()) {
      const absl::StatusOr<std::string> text = MessageJson(info);
      if (!text.ok()) {
        std::fprintf(stderr, "caisson: %s\n", Printable(Message(text.status())).c_str());
        return kExitService;
      }
      out["server"] = nlohmann::ordered_json::parse(*text, nullptr, false);
    }
    std::printf("%s\n", out.dump().c_str());
    return kExitOk;
  }
  std::printf("caisson %s\n", CAISSON_VERSION);
  if (status.ok()) {
    std::printf("server %s, API %s, cgroups %s, on %s\n", Printable(info.version()).c_str(),
                Printable(info.api_revision()).c_str(), Printable(info.cgroup_backend()).c_str(),
                address.c_str());
  } else {
    std::printf("server not reachable: %s\n", client.Explain(status).c_str());
  }
  return kExitOk;
}

}  // namespace caisson::cli
