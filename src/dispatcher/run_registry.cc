#include "dispatcher/run_registry.h"

#include <google/protobuf/util/time_util.h>

#include <iterator>
#include <utility>

namespace caisson::dispatcher {

void RunRegistry::Add(uint64_t key, v1::Run run) {
  keys_.emplace(run.name(), key);
  runs_.emplace(key, std::move(run));
}

void RunRegistry::SetState(uint64_t key, v1::Run::State state) {
  if (const auto found = runs_.find(key); found != runs_.end()) {
    found->second.set_state(state);
  }
}

void RunRegistry::Finish(uint64_t key, const v1::RunResult& result, int64_t end_unix_nanos,
                         int64_t now_nanos) {
  const auto found = runs_.find(key);
  if (found == runs_.end() || found->second.state() == v1::Run::FINISHED) {
    return;
  }
  found->second.set_state(v1::Run::FINISHED);
  *found->second.mutable_end_time() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(end_unix_nanos);
  *found->second.mutable_result() = result;
  finished_.push_back({now_nanos, key, found->second.ByteSizeLong()});
  finished_bytes_ += finished_.back().bytes;
  Expire(now_nanos);
}

void RunRegistry::Erase(uint64_t key) {
  if (const auto found = runs_.find(key); found != runs_.end()) {
    keys_.erase(found->second.name());
    runs_.erase(found);
  }
}

bool RunRegistry::EraseUnlessFinished(uint64_t key) {
  const auto found = runs_.find(key);
  if (found == runs_.end() || found->second.state() == v1::Run::FINISHED) {
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

const v1::Run* RunRegistry::Find(const std::string& name, int64_t now_nanos) {
  Expire(now_nanos);
  const auto key = keys_.find(name);
  return key == keys_.end() ? nullptr : &runs_.at(key->second);
}

std::optional<uint64_t> RunRegistry::KeyOf(const std::string& name) const {
  const auto key = keys_.find(name);
  return key == keys_.end() ? std::nullopt : std::optional(key->second);
}

const v1::Run* RunRegistry::At(uint64_t key) const {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : &found->second;
}

std::map<uint64_t, v1::Run> RunRegistry::All(int64_t now_nanos) {
  Expire(now_nanos);
  return runs_;
}

}  // namespace caisson::dispatcher
