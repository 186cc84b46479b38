// caisson-dispatcher: the network-facing half of the daemon. Started by caissond as the user `caisson`,
// without capabilities, with the boundary socket on descriptor 3. Parses everything clients send, so it locks
// itself in before the first of them can connect. This file only puts the parts together.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/packet_socket.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "dispatcher/admin_service.h"
#include "dispatcher/connection_book.h"
#include "dispatcher/connection_gate.h"
#include "dispatcher/file_digest.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/logging.h"
#include "dispatcher/metrics.h"
#include "dispatcher/metrics_endpoint.h"
#include "dispatcher/profile_catalog.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/reloads.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/run_service.h"
#include "dispatcher/run_store.h"
#include "dispatcher/scheduling/host_memory.h"
#include "dispatcher/self_lockdown.h"
#include "dispatcher/server.h"
#include "dispatcher/supervisor_link.h"
#include "dispatcher/tenancy/policy_book.h"
#include "dispatcher/tenant.h"
#include "ipc/codec.h"
#include "ipc/descriptor_use.h"
#include "policy/profile_loader.h"

namespace caisson::dispatcher {
namespace {

constexpr int kBoundaryFd = 3;
constexpr int kImagesFd = 4;
constexpr int kHelloTimeoutMs = 10'000;
constexpr mode_t kSocketUmask = 0117;          // 0660
constexpr mode_t kLearningSocketUmask = 0177;  // 0600: root, and this program's own user
// sysexits(3) EX_CONFIG: starting again would end the same way, so caissond does not.
constexpr int kExitCannotServe = 78;
// How long calls may take to end once there is nothing left to do for them.
constexpr int64_t kShutdownGraceMs = 2'000;
constexpr int64_t kLostGraceMs = 500;
// After the loss of caissond, results get this long to reach their clients.
constexpr int64_t kLostDeliveryMs = 1'000;

struct Options {
  std::string socket;
  std::string profiles;
  std::string records;
  std::string metrics;  // empty: no listener
  RetentionLimits retention;
  std::string log_level = "info";
};

// One PREPARE's worth of descriptors for each run is far above the usual soft limit of 1,024. How many there
// are.
absl::StatusOr<uint64_t> RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoStatus(errno, "getrlimit");
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoStatus(errno, "setrlimit");
  }
  return limit.rlim_cur;
}

// Connections get the descriptors that runs and admins can never need.
absl::StatusOr<ConnectionGate::Bounds> GateBounds(const ipc::Hello& hello, uint64_t descriptors) {
  const uint64_t of_runs = ipc::DispatcherFdsForRuns(hello.max_sandboxes, hello.queue_length) +
                           kMostAdminConnections * ipc::kFdsOfOneConnection;
  if (descriptors < of_runs + ipc::kFdsOfOneConnection) {
    return absl::FailedPreconditionError("the descriptor limit of " + std::to_string(descriptors) +
                                         " leaves none for clients: runs need " + std::to_string(of_runs));
  }
  ConnectionGate::Bounds bounds;
  bounds.connections =
      std::min<size_t>(bounds.connections, (descriptors - of_runs) / ipc::kFdsOfOneConnection);
  bounds.open_calls += ipc::MostOpenCalls(hello.max_sandboxes, hello.queue_length);
  return bounds;
}

// Few, and so none that a client's flood can use up: admins have a gate of their own.
ConnectionGate::Bounds AdminBounds() {
  ConnectionGate::Bounds bounds;
  bounds.connections = kMostAdminConnections;
  bounds.open_calls = kMostAdminCalls;
  return bounds;
}

// Takes the listeners of admins out of `listeners`.
std::vector<ConnectionGate::Listener> TakeAdmins(std::vector<ConnectionGate::Listener>& listeners) {
  const auto first = std::stable_partition(
      listeners.begin(), listeners.end(),
      [](const ConnectionGate::Listener& listener) { return listener.caller.role != Role::kAdmin; });
  std::vector<ConnectionGate::Listener> admins(std::make_move_iterator(first),
                                               std::make_move_iterator(listeners.end()));
  listeners.erase(first, listeners.end());
  return admins;
}

// The next message of a start, and what came with it.
template <class M>
absl::StatusOr<M> ReceiveNow(const UniqueFd& socket, std::vector<UniqueFd>& fds) {
  const std::string name(ipc::MessageName(ipc::MessageTraits<M>::kType));
  pollfd waiting{socket.get(), POLLIN, 0};
  if (poll(&waiting, 1, kHelloTimeoutMs) != 1) {
    return absl::DeadlineExceededError("wait for " + name + ": nothing came");
  }
  ASSIGN_OR_RETURN(Packet packet, ReceivePacket(socket.get()));
  ASSIGN_OR_RETURN(const ipc::Reply reply, ipc::DecodeReply(packet.bytes, packet.fds.size()));
  if (const auto* message = std::get_if<M>(&reply); message != nullptr) {
    fds = std::move(packet.fds);
    return *message;
  }
  return absl::FailedPreconditionError("wait for " + name + ": another message came first");
}

// The sockets that caissond made for tenants and roles. Whose they are is its word.
absl::StatusOr<std::vector<ConnectionGate::Listener>> ReceiveListeners(const UniqueFd& socket,
                                                                       uint32_t count) {
  std::vector<ConnectionGate::Listener> listeners;
  for (uint32_t i = 0; i < count; ++i) {
    std::vector<UniqueFd> fds;
    ASSIGN_OR_RETURN(const ipc::Listener message, ReceiveNow<ipc::Listener>(socket, fds));
    ConnectionGate::Listener listener;
    listener.socket = std::move(fds.front());
    listener.caller = Caller{TenantId(std::string(ipc::Text(message.tenant))), message.role};
    listener.peers.assign(message.peers.begin(), message.peers.begin() + message.peer_count);
    listener.address = std::string(ipc::Text(message.address));
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

std::set<std::string> NamesOf(const ProfileCatalog& catalog) {
  std::set<std::string> names;
  for (const auto& [name, entry] : catalog.entries()) {
    names.insert(name);
  }
  return names;
}

std::string DirectoryOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

absl::StatusOr<ProfileCatalog> LoadCatalog(const std::string& directory, const UniqueFd& images) {
  // Owner and mode are caissond's to check, and it has: its decision counts.
  ASSIGN_OR_RETURN(policy::ProfileSet profiles,
                   policy::LoadProfiles(directory, policy::FileTrust::kAnyOwner));
  ASSIGN_OR_RETURN(const UniqueFd host, OpenFile("/", O_PATH | O_DIRECTORY));
  return ProfileCatalog(std::move(profiles), ReadPackageVersions(host.get()), images.get());
}

// Serves until caissond says stop or is gone. The exit code of the program.
absl::StatusOr<int> Serve(const Options& options, UniqueFd boundary, UniqueFd images) {
  signal(SIGPIPE, SIG_IGN);
  ASSIGN_OR_RETURN(const uint64_t descriptors, RaiseDescriptorLimit());
  ASSIGN_OR_RETURN(const std::string socket_path, SocketPath(options.socket));
  std::vector<UniqueFd> none;
  ASSIGN_OR_RETURN(const ipc::Hello hello, ReceiveNow<ipc::Hello>(boundary, none));
  ASSIGN_OR_RETURN(std::vector<ConnectionGate::Listener> listeners,
                   ReceiveListeners(boundary, hello.listeners));
  std::vector<UniqueFd> packed;
  ASSIGN_OR_RETURN(const ipc::Policy policy, ReceiveNow<ipc::Policy>(boundary, packed));
  ASSIGN_OR_RETURN(std::shared_ptr<const PolicyState> policies, ReadPolicies(policy, packed.front()));
  umask(hello.learning == 0 ? kSocketUmask : kLearningSocketUmask);
  ASSIGN_OR_RETURN(const ConnectionGate::Bounds bounds, GateBounds(hello, descriptors));
  ASSIGN_OR_RETURN(const ProfileCatalog catalog, LoadCatalog(options.profiles, images));
  images.reset();
  ASSIGN_OR_RETURN(UniqueFd discard, OpenFile("/dev/null", O_WRONLY));
  ASSIGN_OR_RETURN(HostMemory memory, HostMemory::Open());
  ASSIGN_OR_RETURN(const std::unique_ptr<IoThread> io, IoThread::Create());
  Metrics metrics(NamesOf(catalog), CAISSON_VERSION);
  std::set<std::string> socket_directories = {DirectoryOf(socket_path)};
  std::string metrics_path;
  if (!options.metrics.empty()) {
    ASSIGN_OR_RETURN(metrics_path, SocketPath(options.metrics));
    socket_directories.insert(DirectoryOf(metrics_path));
  }
  // ORDER: OpenSSL reads its configuration at the first digest, and SQLite a seed, which the lockdown would
  // refuse.
  static_cast<void>(FileDigest().Finish());
  uint8_t seeded = 0;
  sqlite3_randomness(sizeof seeded, &seeded);
  RETURN_IF_ERROR(LockDownToRecords(socket_directories, options.records));
  // ORDER: SQLite and the spool open their files here, and none later.
  absl::StatusOr<std::unique_ptr<RunStore>> store = RunStore::Open(options.records, options.retention);
  if (!store.ok()) {
    spdlog::critical("records: {}", Message(store.status()));
    // ORDER: the boundary stays open until the process is gone. caissond kills a dispatcher that closes it,
    // and would see a signal instead of the code that says not to try again.
    static_cast<void>(boundary.release());
    return kExitCannotServe;
  }
  ASSIGN_OR_RETURN(const RunKey last_key, (*store)->records().LastKey());
  ASSIGN_OR_RETURN(auto last_numbers, (*store)->records().LastNumbers());
  ASSIGN_OR_RETURN(CpuDays cpu_days, (*store)->records().AllCpu());
  RETURN_IF_ERROR(LockDown(socket_directories, (*store)->spool().directory_fd()));

  SupervisorLink link(io->loop(), std::move(boundary));
  RecordThread records(*io, *std::move(store), &metrics);
  RunManager manager(*io, link, std::move(discard), hello,
                     {&records, last_key + 1, std::move(last_numbers), &metrics, std::move(cpu_days)});
  manager.SetFreeMemory([&memory](int64_t now_ns) { return memory.AvailableBytes(now_ns); });
  manager.SetPolicies(std::move(policies));
  manager.Expect(TenantId());
  for (const ConnectionGate::Listener& listener : listeners) {
    if (listener.caller.BelongsToTenant()) {
      manager.Expect(listener.caller.tenant);
    }
  }
  std::unique_ptr<MetricsEndpoint> endpoint;
  if (!metrics_path.empty()) {
    ASSIGN_OR_RETURN(endpoint, MetricsEndpoint::Listen(io->loop(), metrics_path,
                                                       [&] { return metrics.Page(manager.Measure()); }));
  }
  RunService::Config config;
  config.memory_budget_bytes = hello.memory_budget_bytes;
  config.max_open_calls = static_cast<uint32_t>(ipc::MostOpenCalls(hello.max_sandboxes, hello.queue_length));
  config.version = CAISSON_VERSION;
  config.metrics = &metrics;
  ConnectionBook book;
  RunService service(*io, manager, catalog, book, config);
  // The socket of everybody who has no other: tenant "default".
  ASSIGN_OR_RETURN(ConnectionGate::Listener own, ConnectionGate::ListenOn(socket_path, Caller()));
  listeners.push_back(std::move(own));
  std::string served;
  for (const ConnectionGate::Listener& listener : listeners) {
    served += (served.empty() ? "" : ", ") + listener.address;
  }
  std::vector<ConnectionGate::Listener> admins = TakeAdmins(listeners);
  ASSIGN_OR_RETURN(const std::unique_ptr<Server> server,
                   Server::Start(std::move(listeners), book, service, bounds));
  Reloads reloads(io->loop(), link, manager.policies());
  AdminService admin_service(*io, manager, reloads, book);
  std::unique_ptr<Server> admin_server;
  if (!admins.empty()) {
    ASSIGN_OR_RETURN(admin_server, Server::Start(std::move(admins), book, admin_service, AdminBounds(),
                                                 Server::Kind::kAdmins));
  }
  const auto on_each_server = [&](const auto& what) {
    what(*server);
    if (admin_server != nullptr) {
      what(*admin_server);
    }
  };

  bool lost = false;
  std::thread stopper;
  // Shutdown waits for calls that only this thread can end, so another one does the waiting.
  const auto stop = [&] {
    if (!stopper.joinable()) {
      stopper = std::thread([&, grace_ms = lost ? kLostGraceMs : kShutdownGraceMs] {
        std::vector<std::thread> each;
        on_each_server([&](Server& one) { each.emplace_back([&one, grace_ms] { one.Shutdown(grace_ms); }); });
        for (std::thread& one : each) {
          one.join();
        }
        io->Post([&] { io->loop().Stop(); });
      });
    }
  };
  manager.SetOnDrain([&] {
    on_each_server([](Server& one) { one.SetNotServing(); });
    reloads.Stop();
    manager.WhenIdle(stop);
  });
  manager.SetOnAdmitting(
      [&](bool admitting) { on_each_server([admitting](Server& one) { one.SetServing(admitting); }); });
  RETURN_IF_ERROR(link.Start(
      [&](const ipc::Reply& reply, std::vector<UniqueFd> fds) {
        if (const auto* reloaded = std::get_if<ipc::Reloaded>(&reply); reloaded != nullptr) {
          reloads.OnReloaded(*reloaded);
        } else {
          manager.OnMessage(reply, std::move(fds));
        }
      },
      [&](const absl::Status& reason) {
        lost = true;
        io->loop().At(MonotonicNanos() + kLostDeliveryMs * kNanosPerMilli, stop);
        reloads.OnSupervisorLost();
        manager.OnSupervisorLost(reason);
      }));
  link.Send(ipc::Make<ipc::Serving>());
  spdlog::info("serving on {} with {} profiles, at most {} runs", served, catalog.entries().size(),
               hello.max_sandboxes);
  const absl::Status ended = io->loop().Run();
  if (stopper.joinable()) {
    stopper.join();
  }
  RETURN_IF_ERROR(ended);
  return lost ? EXIT_FAILURE : EXIT_SUCCESS;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("The network-facing half of Caisson. Started by caissond, not by people.",
               "caisson-dispatcher");
  app.set_version_flag("--version", CAISSON_VERSION);
  app.add_option("--socket", options.socket, "Where to listen: unix:/PATH")->required();
  app.add_option("--profiles", options.profiles, "Directory of the profiles")->required();
  app.add_option("--records", options.records, "Directory of the records of runs")->required();
  app.add_option("--records-bytes", options.retention.bytes, "What they may take, of each tenant");
  app.add_option("--records-keep-ms", options.retention.keep_ms, "How long they are kept after a run's end");
  app.add_option("--metrics", options.metrics, "Where to serve metrics: unix:/PATH; nowhere without it");
  app.add_option("--log-level", options.log_level, "debug, info, warning, error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "warn", "error", "critical", "off"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : 2;
  }
  SetUpLogging(options.log_level);
  for (const int fd : {kBoundaryFd, kImagesFd}) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      spdlog::critical("descriptor {} is not open: caissond starts this program, people start caissond", fd);
      return EXIT_FAILURE;
    }
  }
  const absl::StatusOr<int> code = Serve(options, UniqueFd(kBoundaryFd), UniqueFd(kImagesFd));
  if (!code.ok()) {
    spdlog::critical("{}", Message(code.status()));
    return EXIT_FAILURE;
  }
  return *code;
}

}  // namespace
}  // namespace caisson::dispatcher

int main(int argc, char** argv) { return caisson::dispatcher::Main(argc, argv); }
