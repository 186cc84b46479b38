// caisson-tls: TLS on TCP before the daemon's Unix sockets. A process of its own under an unprivileged user,
// which brings bytes from a client to the socket that its certificate, or the lack of one, stands for, and
// back. Every byte from its port is hostile.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "common/status.h"
#include "common/unique_fd.h"
#include "door/connector.h"
#include "door/listen_address.h"
#include "door/listener.h"
#include "lockdown/become_user.h"
#include "tls_door/certificates.h"
#include "tls_door/door.h"
#include "tls_door/lockdown.h"
#include "tls_door/tenant_name.h"

namespace caisson::tls_door {
namespace {

namespace asio = boost::asio;

constexpr int kExitUsage = 2;
// Besides clients: the log, signals, epoll, the listener, the connector, the certificates.
constexpr size_t kOwnDescriptors = 64;
constexpr size_t kDescriptorsOfOneClient = 2;

struct Options {
  std::string listen;
  std::string certificates = "/etc/caisson/tls";
  std::vector<std::string> tenants;  // NAME=unix:/PATH
  std::string token_socket;
  std::string user;
  std::string log_level = "info";
  DoorBounds bounds;
  int64_t handshake_ms = bounds.times.handshake.count();
  int64_t idle_ms = bounds.times.idle.count();
  int64_t write_ms = bounds.times.write.count();
};

void SetUpLogging(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("tls", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // In UTC: the zone's file could not be read after the lockdown.
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l caisson-tls: %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

absl::StatusOr<std::string> SocketPath(const std::string& text) {
  constexpr std::string_view kScheme = "unix:";
  std::string path = text.starts_with(kScheme) ? text.substr(kScheme.size()) : std::string();
  if (path.size() < 2 || path.front() != '/') {
    return absl::InvalidArgumentError("socket '" + text + "': give unix:/PATH");
  }
  return path;
}

// What the command line says of destinations; the paths in the order of their numbers.
absl::StatusOr<Destinations> ReadDestinations(const Options& options, std::vector<std::string>& paths) {
  Destinations destinations;
  for (const std::string& tenant : options.tenants) {
    const size_t equals = tenant.find('=');
    const std::string name = tenant.substr(0, equals);
    if (equals == std::string::npos || !IsTenantName(name)) {
      return absl::InvalidArgumentError("tenant '" + tenant + "': give NAME=unix:/PATH");
    }
    ASSIGN_OR_RETURN(std::string path, SocketPath(tenant.substr(equals + 1)));
    if (!destinations.tenants.emplace(name, paths.size()).second) {
      return absl::InvalidArgumentError("tenant '" + name + "' stands twice");
    }
    paths.push_back(std::move(path));
  }
  if (!options.token_socket.empty()) {
    ASSIGN_OR_RETURN(std::string path, SocketPath(options.token_socket));
    destinations.tokens = paths.size();
    paths.push_back(std::move(path));
  }
  if (paths.empty()) {
    return absl::InvalidArgumentError("nobody could be served: give --tenant, --token-socket, or both");
  }
  return destinations;
}

// Serves until it is told to stop. The exit code of the program.
absl::StatusOr<int> Serve(const Options& options) {
  signal(SIGPIPE, SIG_IGN);
  ASSIGN_OR_RETURN(const asio::ip::tcp::endpoint address,
                   door::ParseListenAddress(options.listen, door::Reach::kAnywhere));
  std::vector<std::string> paths;
  ASSIGN_OR_RETURN(Destinations destinations, ReadDestinations(options, paths));
  RETURN_IF_ERROR(door::RaiseDescriptorLimit(
      options.bounds.connections, options.bounds.connections * kDescriptorsOfOneClient + kOwnDescriptors));
  ASSIGN_OR_RETURN(UniqueFd listener, door::Listen(address));
  RETURN_IF_ERROR(lockdown::BecomeUser(options.user));
  // ORDER: the connector before Asio has anything that a fork would copy, and before Landlock, which it takes
  // on by itself; and before the key is in our memory.
  ASSIGN_OR_RETURN(door::Connector connector, door::Connector::Start(paths));
  const ClientCertificate shown = destinations.tenants.empty()      ? ClientCertificate::kNone
                                  : destinations.tokens.has_value() ? ClientCertificate::kOptional
                                                                    : ClientCertificate::kRequired;
  ASSIGN_OR_RETURN(const Certificates certificates, Certificates::Open(options.certificates, shown));
  // ORDER: OpenSSL reads its own configuration at its first use.
  ASSIGN_OR_RETURN(Door::Context context, certificates.Load());
  RETURN_IF_ERROR(LockFiles(certificates.directory()));
  asio::io_context io(1);
  asio::ip::tcp::acceptor acceptor(io, address.protocol(), listener.release());
  const std::string where = door::AddressText(acceptor.local_endpoint());
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  RETURN_IF_ERROR(LoadDoorFilter());

  int code = EXIT_SUCCESS;
  Door serving(std::move(acceptor), std::move(connector), std::move(destinations), std::move(context),
               options.bounds, [&] {
                 spdlog::critical("the connector is gone; without it the daemon cannot be reached");
                 code = EXIT_FAILURE;
                 io.stop();
               });
  const std::function<void()> wait = [&] {
    signals.async_wait([&](const boost::system::error_code& error, int number) {
      if (error) {
        return;
      }
      if (number != SIGHUP) {
        return serving.Stop();
      }
      absl::StatusOr<Door::Context> loaded = certificates.Load();
      if (loaded.ok()) {
        serving.SetContext(*std::move(loaded));
        spdlog::info("reloaded the certificates");
      } else {
        spdlog::error("not reloaded, what was in force stays: {}", Message(loaded.status()));
      }
      wait();
    });
  };
  wait();
  serving.Start();
  // On standard output, for whoever asked for port 0.
  static_cast<void>(std::printf("listening on %s\n", where.c_str()));
  static_cast<void>(std::fflush(stdout));
  spdlog::info("serving {} with {} tenants{}", where, options.tenants.size(),
               options.token_socket.empty() ? "" : " and tokens");
  io.run();
  return code;
}

// Numbers from `least` to `most`; the text of an option says what they are, not their type.
template <typename Number>
void AddNumber(CLI::App& app, const std::string& name, Number& value, int least, int most,
               const std::string& type, const std::string& help) {
  CLI::Validator range = CLI::Range(least, most);
  app.add_option(name, value, help)->check(range.description(""))->type_name(type)->capture_default_str();
}

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--listen", options.listen, "Where to serve, port 0 for any")
      ->type_name("ADDRESS:PORT")
      ->required();
  app.add_option("--certificates", options.certificates,
                 "Directory of server.crt, server.key and, for clients' certificates, clients.crt")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--tenant", options.tenants,
                 "Clients whose certificate names this tenant get this socket: NAME=unix:/PATH; repeatable")
      ->type_name("NAME=ADDRESS")
      ->allow_extra_args(false);
  app.add_option("--token-socket", options.token_socket,
                 "Clients without a certificate get this socket, which asks for tokens: unix:/PATH")
      ->type_name("ADDRESS");
  app.add_option("--user", options.user, "Started by root: the user to become. Root itself serves nobody")
      ->type_name("NAME");
  AddNumber(app, "--max-connections", options.bounds.connections, 1, 65'536, "COUNT",
            "Of all clients together");
  AddNumber(app, "--max-connections-per-address", options.bounds.connections_per_address, 1, 65'536, "COUNT",
            "Of one address, of IPv6 of one /64");
  AddNumber(app, "--handshake-timeout-ms", options.handshake_ms, 100, 600'000, "MS",
            "How long a handshake may take");
  AddNumber(app, "--idle-timeout-ms", options.idle_ms, 100, 86'400'000, "MS",
            "How long a connection may be without a byte");
  AddNumber(app, "--write-timeout-ms", options.write_ms, 100, 600'000, "MS",
            "How long a client may leave what it is sent unread");
  CLI::Validator levels =
      CLI::IsMember({"trace", "debug", "info", "warning", "warn", "error", "critical", "off"});
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning, error, critical or off")
      ->check(levels.description(""))
      ->type_name("LEVEL")
      ->capture_default_str();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("TLS on TCP before the sockets of Caisson's daemon.", "caisson-tls");
  app.set_version_flag("--version", CAISSON_VERSION);
  AddOptions(app, options);
  app.footer(
      "Example:\n  sudo caisson-tls --user caisson-tls --listen 0.0.0.0:8443 \\\n"
      "    --tenant web=unix:/run/caisson-tenants/web.sock --token-socket "
      "unix:/run/caisson-tenants/token.sock");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kExitUsage;
  }
  options.bounds.times.handshake = std::chrono::milliseconds(options.handshake_ms);
  options.bounds.times.idle = std::chrono::milliseconds(options.idle_ms);
  options.bounds.times.write = std::chrono::milliseconds(options.write_ms);
  SetUpLogging(options.log_level);
  const absl::StatusOr<int> code = Serve(options);
  if (!code.ok()) {
    spdlog::critical("{}", Message(code.status()));
    return absl::IsInvalidArgument(code.status()) ? kExitUsage : EXIT_FAILURE;
  }
  return *code;
}

}  // namespace
}  // namespace caisson::tls_door

int main(int argc, char** argv) { return caisson::tls_door::Main(argc, argv); }
