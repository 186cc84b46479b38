#include "dispatcher/run_observer.h"

#include <spdlog/spdlog.h>

#include "common/clock.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_record.h"
#include "dispatcher/security_events.h"
#include "dispatcher/trace_context.h"

namespace caisson::dispatcher {

void RunObserver::OnRefused(const grpc::Status& status) {
  if (metrics_ != nullptr) {
    metrics_->OnRefused(ReasonName(status));
  }
}

void RunObserver::OnAdmitted(const Run& run) {
  if (metrics_ != nullptr) {
    metrics_->OnAdmitted(run.tenant(), MonotonicNanos() - run.received_ns());
  }
}

void RunObserver::OnSandbox(bool from_pool) {
  if (metrics_ != nullptr) {
    metrics_->OnPrepared(from_pool);
  }
}

void RunObserver::OnResult(const Run& run, const v1::RunResult& result) {
  const v1::Run record = NewRunRecord(run.spec());
  for (const SecurityEvent& event : FindSecurityEvents(result)) {
    spdlog::warn("{}", SecurityLine(event, record, run.tenant().name()));
    if (metrics_ != nullptr) {
      metrics_->OnSecurityEvent(event.name);
    }
  }
  if (!record.traceparent().empty()) {
    spdlog::info("run {}: ended as {}, trace={}", record.name(), v1::Verdict_Name(result.verdict()),
                 TraceIdOf(record.traceparent()));
  }
  if (metrics_ != nullptr) {
    metrics_->OnEnded(record.profile(), result);
  }
}

}  // namespace caisson::dispatcher
