#include "dispatcher/created_runs.h"

#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include "common/status.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_record.h"
#include "dispatcher/tenancy/decision.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kNoRoomRetryMs = 5'000;
// Of the frames around pieces of files: 4,096 full pieces and 1,024 last ones, with a path each.
constexpr uint64_t kFileFramesBytes = 8ULL << 20U;

// What the run's events may come to, at most.
SpoolSizes RoomFor(const RunSpec& spec) {
  SpoolSizes room{};
  const auto set = [&room](SpoolPart part, uint64_t bytes) { room.at(static_cast<size_t>(part)) = bytes; };
  const uint64_t output = spec.limits.Get(policy::LimitId::kOutputBytes);
  set(SpoolPart::kEvents, kEventsRoomBytes);
  set(SpoolPart::kStdout, output);
  set(SpoolPart::kStderr, output);
  if (spec.compile.has_value()) {
    const uint64_t compile = spec.compile->limits.Get(policy::LimitId::kOutputBytes);
    set(SpoolPart::kCompileStdout, compile);
    set(SpoolPart::kCompileStderr, compile);
  }
  if (spec.collects) {
    set(SpoolPart::kFiles, spec.limits.Get(policy::LimitId::kDiskBytes) + kFileFramesBytes);
  }
  return room;
}

grpc::Status OtherBody() { return Refuse(Reason::kRequestIdReused, "another request had this request_id"); }

grpc::Status NoRoom(const std::string& why) {
  return RefuseQuota(Reason::kStorageFull, "the run cannot be stored: " + why, "storage", kNoRoomRetryMs);
}

// The end of a run that was refused before it began.
v1::RunResult NeverStarted(const grpc::Status& refusal, bool service_gone) {
  v1::RunResult result;
  result.set_verdict(service_gone ? v1::SERVICE_FAILED : v1::CANCELED);
  result.set_ended_by(service_gone ? v1::SERVICE : v1::OPERATOR);
  result.set_message("It did not start: " + refusal.error_message() + ".");
  return result;
}

}  // namespace

CreatedRuns::Reply CreatedRuns::JoinPending(const RunSpec& spec, Reply reply) {
  if (spec.request_id.empty()) {
    return reply;
  }
  const RequestKey key(spec.tenant, spec.request_id);
  const auto [found, first] = pending_.try_emplace(key, Pending{spec.request_digest, {}});
  if (!first && found->second.digest != spec.request_digest) {
    reply(OtherBody(), {});
    return nullptr;
  }
  found->second.replies.push_back(std::move(reply));
  if (!first) {
    return nullptr;
  }
  return [this, key](const grpc::Status& status, const v1::Run& run) {
    const auto node = pending_.extract(key);
    for (const Reply& waiting : node.mapped().replies) {
      waiting(status, run);
    }
  };
}

void CreatedRuns::Create(RunSpec spec, Reply reply) {
  reply = JoinPending(spec, std::move(reply));
  if (reply == nullptr) {
    return;
  }
  if (const grpc::Status closed = host_.closed(spec); !closed.ok()) {
    return LookOnly(spec, closed, std::move(reply));
  }
  host_.enter(spec);
  spec.followable = true;
  auto record = std::make_shared<NewRecord>();
  record->key = spec.key;
  record->tenant = spec.tenant;
  record->number = spec.number;
  record->id = spec.id;
  record->request_id = spec.request_id;
  record->digest = spec.request_digest;
  record->run = NewRunRecord(spec);
  record->most_bytes = MostStoredBytes(spec);
  auto creation = std::make_shared<RunStore::Creation>();
  auto waiting = std::make_shared<RunSpec>(std::move(spec));
  thread_.Write(
      RecordThread::Need::kDurable,
      [record, creation, room = RoomFor(*waiting)](RunStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(*creation, store.Create(*record, room));
        return absl::OkStatus();
      },
      [this, waiting, creation, reply = std::move(reply)](const absl::Status& status) {
        OnRecorded(std::move(*waiting), status, *creation, reply);
      });
}

// A full queue costs whoever fills it no write to the disk.
void CreatedRuns::LookOnly(const RunSpec& spec, const grpc::Status& refusal, Reply reply) {
  if (spec.request_id.empty()) {
    return reply(refusal, {});
  }
  auto found = std::make_shared<std::optional<StoredRun>>();
  thread_.Read(
      [found, tenant = spec.tenant, request_id = spec.request_id](RunStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(*found, store.records().FindRequest(tenant, request_id));
        return absl::OkStatus();
      },
      [this, found, digest = spec.request_digest, refusal,
       reply = std::move(reply)](const absl::Status& status) {
        if (!status.ok() || !found->has_value()) {
          return reply(refusal, {});
        }
        if ((*found)->digest != digest) {
          return reply(OtherBody(), {});
        }
        ReplyWithStored((*found)->key, (*found)->run, reply);
      });
}

// Memory knows more of a run in flight.
void CreatedRuns::ReplyWithStored(RunKey key, const v1::Run& stored, const Reply& reply) {
  const v1::Run* now = host_.in_memory(key);
  reply(grpc::Status::OK, now != nullptr ? *now : stored);
}

void CreatedRuns::OnRecorded(RunSpec spec, const absl::Status& status, const RunStore::Creation& creation,
                             const Reply& reply) {
  if (!status.ok()) {
    return reply(absl::IsResourceExhausted(status)
                     ? NoRoom("the disk is full")
                     : Refuse(Reason::kStorageFailed, "the run cannot be stored"),
                 {});
  }
  switch (creation.kind) {
    case RunStore::Creation::Kind::kOther:
      return reply(OtherBody(), {});
    case RunStore::Creation::Kind::kNoRoom:
      return reply(creation.by_policy && spec.policy != nullptr
                       ? RefuseByQuota(*spec.policy, policy::QuotaId::kStoredBytes,
                                       "the run cannot be stored: " + creation.why, kNoRoomRetryMs)
                       : NoRoom(creation.why),
                   {});
    case RunStore::Creation::Kind::kSame:
      return ReplyWithStored(creation.key, creation.run, reply);
    case RunStore::Creation::Kind::kCreated:
      return Submit(std::move(spec), reply);
  }
}

void CreatedRuns::Submit(RunSpec spec, const Reply& reply) {
  const RunKey key = spec.key;
  const RunId id = spec.id;
  auto stream = std::make_shared<SpoolStream>(
      io_, thread_, id,
      SpoolStream::Handlers{[this, id] { followers_.OnMore(id); }, [this, key] { host_.fail(key); }});
  runs_.emplace(key, Created{spec.tenant, spec.number, id, stream, std::nullopt});
  host_.submit(std::move(spec), stream);
  if (const v1::Run* run = host_.in_memory(key); run != nullptr) {
    return reply(grpc::Status::OK, *run);
  }
  // The door was closed. It leaves no record, so that the same request can be tried again.
  runs_.erase(key);
  const grpc::Status refusal =
      stream->refusal().value_or(Refuse(Reason::kShuttingDown, "the service is shutting down"));
  thread_.WriteSurely(
      RecordThread::Need::kLasting, [key, id](RunStore& store) { return store.Forget(key, id); },
      [reply, refusal](const absl::Status& /*status*/) { reply(refusal, {}); });
}

void CreatedRuns::OnResult(RunKey key, const v1::RunResult& result) { runs_.at(key).result = result; }

void CreatedRuns::OnEnded(RunKey key, int64_t end_unix_nanos, bool service_gone) {
  const auto node = runs_.extract(key);
  const Created& created = node.mapped();
  const v1::Run* run = host_.in_memory(key);
  CAISSON_CHECK(run != nullptr);
  auto ended = std::make_shared<NewRecord>();
  ended->key = key;
  ended->tenant = created.tenant;
  ended->number = created.number;
  ended->id = created.id;
  ended->run = *run;
  ended->run.set_state(v1::Run::FINISHED);
  *ended->run.mutable_end_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(end_unix_nanos);
  v1::RunResult& result = *ended->run.mutable_result();
  result = created.result.value_or(
      NeverStarted(created.stream->refusal().value_or(grpc::Status::OK), service_gone));
  if (created.stream->files_broken()) {
    result.set_outputs_incomplete(true);
  }
  if (created.stream->broken()) {
    result.set_verdict(v1::SERVICE_FAILED);
    result.set_ended_by(v1::SERVICE);
    result.set_message("Caisson failed: the output could not be stored.");
  }
  thread_.WriteSurely(
      RecordThread::Need::kDurable, [ended](RunStore& store) { return store.Finish(*ended); },
      [this, key, id = created.id](const absl::Status& /*status*/) {
        host_.stored(key);
        followers_.OnMore(id);
      });
}

}  // namespace caisson::dispatcher
