#include "dispatcher/run_registry.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

namespace caisson::dispatcher {

void RunRegistry::Add(uint64_t key, const TenantId& tenant, uint64_t number, v1::Run run) {
  keys_.emplace(run.name(), key);
  runs_.emplace(key, Record{tenant, number, std::move(run)});
}

void RunRegistry::SetState(uint64_t key, v1::Run::State state) {
  if (const auto found = runs_.find(key); found != runs_.end()) {
    found->second.run.set_state(state);
  }
}

void RunRegistry::Finish(uint64_t key, const v1::RunResult& result, int64_t end_unix_nanos,
                         int64_t now_nanos) {
  const auto found = runs_.find(key);
  if (found == runs_.end() || found->second.run.state() == v1::Run::FINISHED) {
    return;
  }
  v1::Run& run = found->second.run;
  run.set_state(v1::Run::FINISHED);
  *run.mutable_end_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(end_unix_nanos);
  *run.mutable_result() = result;
  finished_.push_back({now_nanos, key, run.ByteSizeLong()});
  finished_bytes_ += finished_.back().bytes;
  Expire(now_nanos);
}

void RunRegistry::Erase(uint64_t key) {
  if (const auto found = runs_.find(key); found != runs_.end()) {
    keys_.erase(found->second.run.name());
    runs_.erase(found);
  }
}

bool RunRegistry::EraseUnlessFinished(uint64_t key) {
  const auto found = runs_.find(key);
  if (found == runs_.end() || found->second.run.state() == v1::Run::FINISHED) {
    return false;
  }
  Erase(key);
  return true;
}

void RunRegistry::Expire(int64_t now_nanos) {
  while (!finished_.empty() && (finished_.size() > kMaxFinished || finished_bytes_ > kMaxFinishedBytes ||
                                finished_.front().at_nanos + kKeepNanos <= now_nanos)) {
    Erase(finished_.front().key);
    finished_bytes_ -= finished_.front().bytes;
    finished_.pop_front();
  }
}

const RunRegistry::Record* RunRegistry::FindRecord(const Caller& caller, const std::string& name) const {
  const auto key = keys_.find(name);
  if (key == keys_.end()) {
    return nullptr;
  }
  const Record& record = runs_.at(key->second);
  return caller.Sees(record.tenant) ? &record : nullptr;
}

const v1::Run* RunRegistry::Find(const Caller& caller, const std::string& name, int64_t now_nanos) {
  Expire(now_nanos);
  const Record* record = FindRecord(caller, name);
  return record == nullptr ? nullptr : &record->run;
}

std::optional<uint64_t> RunRegistry::KeyOf(const Caller& caller, const std::string& name) const {
  return FindRecord(caller, name) == nullptr ? std::nullopt : std::optional(keys_.at(name));
}

const v1::Run* RunRegistry::At(uint64_t key) const {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : &found->second.run;
}

std::map<uint64_t, v1::Run> RunRegistry::All(const Caller& caller, int64_t now_nanos) {
  Expire(now_nanos);
  std::map<uint64_t, v1::Run> seen;
  for (const auto& [key, record] : runs_) {
    if (caller.Sees(record.tenant)) {
      seen.emplace_hint(seen.end(), caller.PlaceOf(key, record.number), record.run);
    }
  }
  return seen;
}

}  // namespace caisson::dispatcher
