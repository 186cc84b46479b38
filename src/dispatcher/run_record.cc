#include "dispatcher/run_record.h"

#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <limits>

#include "dispatcher/run_name.h"

namespace caisson::dispatcher {

int64_t UnixNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

v1::Run NewRunRecord(const RunSpec& spec) {
  v1::Run run;
  run.set_name(RunName(spec.id));
  run.set_profile(spec.profile);
  run.set_state(v1::Run::QUEUED);
  *run.mutable_create_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(UnixNanos());
  run.mutable_labels()->insert(spec.labels.begin(), spec.labels.end());
  run.set_request_id(spec.request_id);
  run.set_followable(spec.followable);
  run.set_tenant(spec.tenant.name());
  run.set_traceparent(spec.traceparent);
  return run;
}

uint64_t MostStoredBytes(const RunSpec& spec) {
  const policy::RuleValue* const quota =
      spec.policy == nullptr ? nullptr : spec.policy->Quota(policy::QuotaId::kStoredBytes);
  return quota == nullptr ? std::numeric_limits<uint64_t>::max() : quota->value;
}

}  // namespace caisson::dispatcher
