// `caisson admin`: what an operator asks of a running daemon, through its admin socket. Untrusted: what the
// server says.
#ifndef CAISSON_CLI_ADMIN_COMMAND_H_
#define CAISSON_CLI_ADMIN_COMMAND_H_

#include <grpcpp/support/status.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "caisson/admin/v1/admin.pb.h"
#include "cli/server.h"

namespace caisson::cli {

inline constexpr char kAdminAddress[] = "unix:/run/caisson-tenants/admin.sock";
inline constexpr char kAdminSocketVariable[] = "CAISSON_ADMIN_SOCKET";

struct AdminOptions {
  bool json = false;
};

// Adds `admin` with its commands; --socket goes to `server`.
CLI::App* AddAdmin(CLI::App& app, AdminOptions& options, ServerOptions& server);

// The one that was given, at `server`'s socket, the environment's or kAdminAddress; the exit code.
int AdminCommand(const CLI::App& group, const AdminOptions& options, const ServerOptions& server);

// What is wrong with the daemon's files, for the PreconditionFailure of a refusal: a line for each,
// printable. Empty: it says nothing of that.
std::vector<std::string> Faults(const grpc::Status& status);

// The table, header included.
std::string TenantsTable(const admin::v1::ListTenantsResponse& tenants);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_ADMIN_COMMAND_H_
