// Everything that is counted, for Prometheus (https://prometheus.io/docs/practices/naming/). Label values
// come from fixed lists: verdicts, stages, the profiles and tenants of the operator, names of system calls.
// None is a client's or a payload's to choose, so none can make series without end; what is in no list is
// "other". Runs in caisson-dispatcher.
#ifndef CAISSON_DISPATCHER_METRICS_H_
#define CAISSON_DISPATCHER_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

// What is true at the moment of a scrape.
struct MetricsNow {
  uint64_t active_runs = 0;
  uint64_t max_runs = 0;
  std::map<std::string, uint64_t> waiting_runs;  // by tenant
  uint64_t queue_length = 0;                     // the most that may wait
  uint64_t memory_promised_bytes = 0;
  uint64_t memory_budget_bytes = 0;
  uint64_t followers = 0;
};

class Metrics {
 public:
  // Different calls that denials are counted by, at most; Linux has fewer.
  static constexpr size_t kMostSyscalls = 600;

  // `profiles`: every name there is. Opens what it reads of /proc: before the lockdown.
  Metrics(std::set<std::string> profiles, const std::string& version);

  // Of any thread.
  void OnRefused(std::string_view reason);
  // A call without a valid token; of any thread too.
  void OnUnauthenticated(std::string_view reason);
  // Of the I/O thread, up to OnSecurityEvent.
  void OnAdmitted(const TenantId& tenant, int64_t waited_ns);
  void OnPrepared(bool from_pool);
  // A run that was admitted, or canceled while it waited.
  void OnEnded(const std::string& profile, const v1::RunResult& result);
  void OnSecurityEvent(const std::string& event);
  // Of the record thread.
  void OnCommit(int64_t took_ns);
  void OnRecordFailure();
  void OnStored(const std::string& tenant, uint64_t bytes, uint64_t runs);

  // Of the I/O thread. The whole page, in Prometheus' text format.
  std::string Page(const MetricsNow& now);

 private:
  using Counters = prometheus::Family<prometheus::Counter>;
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  void BeginSeries();
  void ObserveStage(const char* stage, const google::protobuf::Duration& took, bool there);
  void SetProcess();

  const std::set<std::string> profiles_;
  prometheus::Registry registry_;
  Counters& runs_;
  Counters& refused_;
  Counters& unauthenticated_;
  Counters& sandboxes_;
  Counters& denied_calls_;
  Counters& cpu_seconds_;
  Counters& output_bytes_;
  Counters& security_events_;
  Histograms& queue_wait_;
  Histograms& stages_;
  Gauges& waiting_;
  Gauges& stored_bytes_;
  Gauges& stored_runs_;
  prometheus::Gauge& active_;
  prometheus::Gauge& max_runs_;
  prometheus::Gauge& queue_length_;
  prometheus::Gauge& memory_promised_;
  prometheus::Gauge& memory_budget_;
  prometheus::Gauge& followers_;
  prometheus::Histogram& commit_;
  prometheus::Counter& record_failures_;
  prometheus::Counter& process_cpu_;
  prometheus::Gauge& process_resident_;
  prometheus::Gauge& process_virtual_;
  prometheus::Gauge& process_max_fds_;
  std::set<std::string> syscalls_;  // that denials are counted by: the I/O thread's
  UniqueFd statm_;                  // /proc/self/statm
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_METRICS_H_
