// What a run's own network namespace is told before its lo comes up. Shared by init, which does it, and by
// caissond --check, which tries it; freestanding.
#ifndef CAISSON_SANDBOX_LOOPBACK_SETTINGS_H_
#define CAISSON_SANDBOX_LOOPBACK_SETTINGS_H_

namespace caisson::sandbox {

struct LoopbackSetting {
  const char* path;
  const char* value;
};

// All of them belong to the network namespace of whoever opens the file. A connection that waits in an accept
// queue, and what one leaves behind when its descriptor is closed, is in no table and within no memory limit
// of the run (TIME_WAIT), or counts against a bound of the whole host (orphans, tcp_mem): few, small, and not
// for long. The table of metrics is one for all namespaces; fast open would fill it.
inline constexpr LoopbackSetting kLoopbackSettings[] = {{"/proc/sys/net/core/somaxconn", "128"},
                                                        {"/proc/sys/net/ipv4/tcp_max_tw_buckets", "1024"},
                                                        {"/proc/sys/net/ipv4/tcp_orphan_retries", "1"},
                                                        {"/proc/sys/net/ipv4/tcp_fin_timeout", "5"},
                                                        {"/proc/sys/net/ipv4/tcp_rmem", "4096 8192 262144"},
                                                        {"/proc/sys/net/ipv4/tcp_wmem", "4096 16384 262144"},
                                                        {"/proc/sys/net/ipv4/tcp_no_metrics_save", "1"},
                                                        {"/proc/sys/net/ipv4/tcp_fastopen", "0"}};

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_LOOPBACK_SETTINGS_H_
