// caisson-gateway: an HTTP door to Caisson. A process of its own under an unprivileged user, a client of the
// daemon's socket like any other, with no right that its user does not have. Every byte from its port is
// hostile.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "common/status.h"
#include "common/unique_fd.h"
#include "door/connector.h"
#include "door/listen_address.h"
#include "door/listener.h"
#include "gateway/daemon_link.h"
#include "gateway/lockdown.h"
#include "gateway/logging.h"
#include "gateway/page_files.h"
#include "gateway/server.h"
#include "lockdown/become_user.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;

constexpr int kExitUsage = 2;
// Besides clients: the log, signals, epoll, gRPC, the listener, the daemon, those who are turned away.
constexpr size_t kOwnDescriptors = 192;

struct Options {
  std::string listen = "127.0.0.1:8080";
  std::string socket = "/run/caisson/caisson.sock";
  std::string user;
  std::string playground;
  std::vector<std::string> origins;
  std::vector<std::string> hosts;
  std::string log_level = "info";
  ServerBounds bounds;
  int64_t write_ms = bounds.http.write.count();
  int64_t idle_ms = bounds.web_socket.idle.count();
  int64_t grace_ms = bounds.grace.count();
};

absl::StatusOr<std::string> SocketPath(std::string text) {
  constexpr std::string_view kScheme = "unix:";
  if (text.rfind(kScheme, 0) == 0) {
    text.erase(0, kScheme.size());
  }
  if (text.rfind("///", 0) == 0) {
    text.erase(0, 2);  // unix:///path is gRPC's other spelling
  }
  if (text.empty() || text.front() != '/') {
    return absl::InvalidArgumentError("socket '" + text + "': give unix:/PATH or an absolute path");
  }
  return text;
}

absl::Status CheckOrigins(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    const size_t scheme = origin.find("://");
    const bool web = origin.rfind("http://", 0) == 0 || origin.rfind("https://", 0) == 0;
    if (!web || origin.find_first_of("/*? \t", scheme + 3) != std::string::npos ||
        origin.size() == scheme + 3) {
      return absl::InvalidArgumentError("origin '" + origin +
                                        "': give SCHEME://HOST[:PORT], as browsers send it, and no wildcard");
    }
  }
  return absl::OkStatus();
}

// Serves until it is told to stop. The exit code of the program.
absl::StatusOr<int> Serve(const Options& options) {
  signal(SIGPIPE, SIG_IGN);
  ASSIGN_OR_RETURN(const asio::ip::tcp::endpoint address,
                   door::ParseListenAddress(options.listen, door::Reach::kLoopback));
  ASSIGN_OR_RETURN(const std::string socket_path, SocketPath(options.socket));
  RETURN_IF_ERROR(CheckOrigins(options.origins));
  RETURN_IF_ERROR(
      door::RaiseDescriptorLimit(options.bounds.connections, options.bounds.connections + kOwnDescriptors));
  ASSIGN_OR_RETURN(UniqueFd listener, door::Listen(address));
  RETURN_IF_ERROR(lockdown::BecomeUser(options.user));
  PageFiles page;
  if (!options.playground.empty()) {
    ASSIGN_OR_RETURN(page, PageFiles::Load(options.playground));
  }
  // ORDER: the connector before Asio and gRPC have anything that a fork would copy, and before Landlock,
  // which it takes on by itself.
  ASSIGN_OR_RETURN(door::Connector connector, door::Connector::Start({socket_path}));
  RETURN_IF_ERROR(LockFiles());
  asio::io_context io(1);
  asio::ip::tcp::acceptor acceptor(io, address.protocol(), listener.release());
  const std::string where = door::AddressText(acceptor.local_endpoint());
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  // ORDER: everything that makes sockets is made. gRPC's threads come after the filter, which holds for them
  // too.
  RETURN_IF_ERROR(LoadGatewayFilter());

  int code = EXIT_SUCCESS;
  std::optional<Server> server;
  DaemonLink link(std::move(connector), [&] {
    spdlog::critical("the connector is gone; without it the daemon cannot be reached");
    code = EXIT_FAILURE;
    asio::post(io, [&] {
      server->Stop();
      server->Stop();
    });
  });
  Doors doors{{options.origins.begin(), options.origins.end()}, {options.hosts.begin(), options.hosts.end()}};
  server.emplace(std::move(acceptor), link, std::move(doors), std::move(page), options.bounds,
                 [&] { signals.cancel(); });
  const std::function<void()> wait = [&] {
    signals.async_wait([&](const boost::system::error_code& error, int /*number*/) {
      if (!error) {
        wait();  // ORDER: where nobody is connected, Stop cancels it
        server->Stop();
      }
    });
  };
  wait();
  server->Start();
  // On standard output, for whoever asked for port 0.
  static_cast<void>(std::printf("listening on http://%s\n", where.c_str()));
  static_cast<void>(std::fflush(stdout));
  spdlog::info("serving http://{} for the daemon on {}", where, socket_path);
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
  app.add_option("--listen", options.listen, "Where to serve, port 0 for any; the loopback only")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app.add_option("--socket", options.socket, "The daemon's socket: unix:/PATH")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--user", options.user, "Started by root: the user to become. Root itself serves nobody")
      ->type_name("NAME");
  app.add_option("--playground", options.playground, "Serve the page in this directory at /")
      ->type_name("DIRECTORY");
  app.add_option("--allow-origin", options.origins,
                 "Whose pages may use it: SCHEME://HOST[:PORT]; repeatable")
      ->type_name("ORIGIN")
      ->allow_extra_args(false);
  app.add_option("--allow-host", options.hosts,
                 "A name besides the loopback's under which it answers; repeatable")
      ->type_name("HOST")
      ->allow_extra_args(false);
  AddNumber(app, "--max-connections", options.bounds.connections, 1, 65'536, "COUNT",
            "Of all clients together");
  AddNumber(app, "--max-connections-per-address", options.bounds.connections_per_address, 1, 65'536, "COUNT",
            "Of one address");
  AddNumber(app, "--write-timeout-ms", options.write_ms, 100, 600'000, "MS",
            "How long a client may leave an answer or an event unread");
  AddNumber(app, "--websocket-idle-ms", options.idle_ms, 1'000, 600'000, "MS",
            "How long a WebSocket's client may answer no ping, or take for its first or one message");
  AddNumber(app, "--grace-ms", options.grace_ms, 0, 600'000, "MS", "How long runs may go on after SIGTERM");
  CLI::Validator levels =
      CLI::IsMember({"trace", "debug", "info", "warning", "warn", "error", "critical", "off"});
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning, error, critical or off")
      ->check(levels.description(""))
      ->type_name("LEVEL")
      ->capture_default_str();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("An HTTP door to Caisson, on the loopback only.", "caisson-gateway");
  app.set_version_flag("--version", CAISSON_VERSION);
  AddOptions(app, options);
  app.footer("Example:\n  sudo caisson-gateway --user caisson-gateway --listen 127.0.0.1:8080");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kExitUsage;
  }
  options.bounds.http.write = std::chrono::milliseconds(options.write_ms);
  options.bounds.web_socket.write = options.bounds.http.write;
  options.bounds.web_socket.idle = std::chrono::milliseconds(options.idle_ms);
  options.bounds.grace = std::chrono::milliseconds(options.grace_ms);
  SetUpLogging(options.log_level);
  const absl::StatusOr<int> code = Serve(options);
  if (!code.ok()) {
    spdlog::critical("{}", Message(code.status()));
    return absl::IsInvalidArgument(code.status()) ? kExitUsage : EXIT_FAILURE;
  }
  return *code;
}

}  // namespace
}  // namespace caisson::gateway

int main(int argc, char** argv) { return caisson::gateway::Main(argc, argv); }
