#include "cli/admin_command.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/address.h"
#include "cli/admin_client.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace caisson::cli {
namespace {

constexpr uint64_t kMillis = 1'000;
constexpr size_t kMostFaults = 100;
constexpr size_t kDigestCharacters = 7 + 12;  // "sha256:" and enough to tell two apart
constexpr char kExample[] = "\n\nExample:\n  sudo caisson admin ";

// "3" or, where a quota is in force, "3/16".
std::string Of(const std::string& now, bool bounded, const std::string& quota) {
  return bounded ? now + "/" + quota : now;
}

// 1500 → "1.5".
std::string Thousandths(uint64_t value) {
  const uint64_t tenths = value % kMillis / (kMillis / 10);
  return std::to_string(value / kMillis) + (tenths == 0 ? "" : "." + std::to_string(tenths));
}

int Fail(const AdminClient& client, const grpc::Status& status) {
  Complain(client.Explain(status));
  return kExitService;
}

template <class Response>
int Tell(const AdminOptions& options, const std::string& what, const Response& response) {
  if (options.json) {
    return PrintJson(response);
  }
  return Print(what + ": " + std::to_string(response.runs_active()) + " runs active, " +
               std::to_string(response.runs_queued()) + " queued\n");
}

int Drain(const AdminOptions& options, AdminClient& client) {
  admin::v1::DrainResponse response;
  const grpc::Status status = client.Drain(response);
  return status.ok() ? Tell(options, "drained, no new runs", response) : Fail(client, status);
}

int Resume(const AdminOptions& options, AdminClient& client) {
  admin::v1::ResumeResponse response;
  const grpc::Status status = client.Resume(response);
  return status.ok() ? Tell(options, "resumed", response) : Fail(client, status);
}

int Reload(const AdminOptions& options, AdminClient& client) {
  admin::v1::ReloadResponse response;
  if (const grpc::Status status = client.Reload(response); !status.ok()) {
    const std::vector<std::string> faults = Faults(status);
    for (const std::string& fault : faults) {
      Complain(fault);
    }
    if (faults.empty()) {
      return Fail(client, status);
    }
    Complain("not reloaded: what was in force stays");
    return kExitFindings;
  }
  if (options.json) {
    return PrintJson(response);
  }
  return Print("reloaded: " + std::to_string(response.policies()) + " policies, " +
               Printable(response.policy_digest(), kMaxCellBytes) + "; " + std::to_string(response.tokens()) +
               " tokens, " + Printable(response.tokens_digest(), kMaxCellBytes) + "\n");
}

int Tenants(const AdminOptions& options, AdminClient& client) {
  admin::v1::ListTenantsResponse tenants;
  if (const grpc::Status status = client.ListTenants(tenants); !status.ok()) {
    return Fail(client, status);
  }
  return options.json ? PrintJson(tenants) : Print(TenantsTable(tenants));
}

// Where the commands of the group put what they are given.
struct Target {
  CLI::App& group;
  AdminOptions& options;
  ServerOptions& server;
};

CLI::App* AddOne(const Target& target, const std::string& name, const std::string& help,
                 const std::string& answer) {
  CLI::App* command = target.group.add_subcommand(name, help);
  command->add_flag("--json", target.options.json, "Print a " + answer + " as JSON");
  command
      ->add_option("--socket", target.server.socket,
                   std::string("The admin socket's address (default: $") + kAdminSocketVariable + ", then " +
                       kAdminAddress + ")")
      ->type_name("ADDRESS");
  return command;
}

}  // namespace

std::vector<std::string> Faults(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::PreconditionFailure failure;
  std::vector<std::string> faults;
  if (!details.ParseFromString(status.error_details())) {
    return faults;
  }
  for (const google::protobuf::Any& any : details.details()) {
    if (!any.UnpackTo(&failure)) {
      continue;
    }
    for (const auto& violation : failure.violations()) {
      if (faults.size() == kMostFaults) {
        faults.push_back("and more");
        return faults;
      }
      faults.push_back(Printable((violation.subject().empty() ? "" : violation.subject() + ": ") +
                                 violation.description()));
    }
  }
  return faults;
}

CLI::App* AddAdmin(CLI::App& app, AdminOptions& options, ServerOptions& server) {
  CLI::App* group = app.add_subcommand("admin", "Drain, resume, reload and look over a running daemon");
  group->require_subcommand(1);
  const Target target{*group, options, server};
  AddOne(target, "drain", "Let no new runs in; those at work and those that wait go on", "DrainResponse")
      ->footer(std::string("It lasts until `caisson admin resume`, or until the dispatcher starts anew.") +
               kExample + "drain");
  AddOne(target, "resume", "Let runs in again", "ResumeResponse")
      ->footer(std::string("Without effect where they are let in.") + kExample + "resume");
  AddOne(target, "reload", "Read tenants' policies and tokens again, all or nothing", "ReloadResponse")
      ->footer(std::string("What has a fault changes nothing: each is told with file, line and key, and the "
                           "exit code is 1.") +
               kExample + "reload");
  AddOne(target, "tenants", "What each tenant has at work, has stored and may have", "ListTenantsResponse")
      ->footer(std::string("A value and, where a quota is in force, the quota; CPU is in CPUs and, of today "
                           "(UTC), in seconds.") +
               kExample + "tenants");
  group->footer(
      "The daemon needs a listener with the role admin, which names you (docs/admin.md).\n\nExamples:\n"
      "  sudo caisson admin drain\n"
      "  sudo caisson admin tenants --json");
  return group;
}

std::string TenantsTable(const admin::v1::ListTenantsResponse& tenants) {
  std::vector<std::vector<std::string>> rows{
      {"TENANT", "ACTIVE", "QUEUED", "MEMORY", "CPU", "STORED", "CPU TODAY", "WEIGHT", "POLICY"}};
  for (const admin::v1::Tenant& tenant : tenants.tenants()) {
    const admin::v1::Quotas& quotas = tenant.quotas();
    rows.push_back(
        {Printable(tenant.name(), kMaxCellBytes),
         Of(std::to_string(tenant.runs_active()), quotas.has_concurrent_runs(),
            std::to_string(quotas.concurrent_runs())),
         Of(std::to_string(tenant.runs_queued()), quotas.has_queue_length(),
            std::to_string(quotas.queue_length())),
         Of(BytesText(tenant.memory_in_flight_bytes()), quotas.has_memory_in_flight_bytes(),
            BytesText(quotas.memory_in_flight_bytes())),
         Of(Thousandths(tenant.cpu_in_flight_millis()), quotas.has_cpu_in_flight_millis(),
            Thousandths(quotas.cpu_in_flight_millis())),
         Of(BytesText(tenant.stored_bytes()), quotas.has_stored_bytes(), BytesText(quotas.stored_bytes())),
         Of(Thousandths(tenant.cpu_today_ms()), quotas.has_cpu_seconds_per_day(),
            std::to_string(quotas.cpu_seconds_per_day())),
         tenant.has_quotas() ? std::to_string(tenant.weight()) : "-",
         tenant.has_quotas() ? Printable(tenant.policy_digest().substr(0, kDigestCharacters), kMaxCellBytes)
                             : "none: may do nothing"});
  }
  return TableText(rows);
}

int AdminCommand(const CLI::App& group, const AdminOptions& options, const ServerOptions& server) {
  std::string socket = server.socket;
  if (const char* variable = std::getenv(kAdminSocketVariable); socket.empty() && variable != nullptr) {
    socket = variable;
  }
  const absl::StatusOr<std::string> address =
      ResolveAddress(socket.empty() ? kAdminAddress : socket, nullptr);
  if (!address.ok()) {
    Complain("admin: " + Printable(Message(address.status())));
    return kExitUsage;
  }
  // No token is ever shown: an admin is known by the socket and the user.
  AdminClient client(Server{*address, ""});
  if (group.got_subcommand("drain")) {
    return Drain(options, client);
  }
  if (group.got_subcommand("resume")) {
    return Resume(options, client);
  }
  return group.got_subcommand("reload") ? Reload(options, client) : Tenants(options, client);
}

}  // namespace caisson::cli
