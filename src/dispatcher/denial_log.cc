#include "dispatcher/denial_log.h"

#include "dispatcher/denial_text.h"
#include "policy/filter_compiler.h"

namespace caisson::dispatcher {

void DenialLog::Add(const wire::Event& event) {
  const auto key = static_cast<uint32_t>(event.syscall_number);
  if (event.type == wire::EventType::kDenial) {
    by_syscall_.emplace(key, event);
  } else {
    by_syscall_.insert_or_assign(key, event);
  }
}

std::vector<v1::Denial> DenialLog::Summary() const {
  std::vector<v1::Denial> denials;
  denials.reserve(by_syscall_.size());
  for (const auto& [key, event] : by_syscall_) {
    denials.push_back(DenialToProto(event));
    if (denials.size() > kMostExplained) {
      denials.back().clear_explanation();
    }
  }
  return denials;
}

v1::Denial DenialToProto(const wire::Event& event) {
  v1::Denial denial;
  denial.set_kind(v1::Denial::SYSCALL);
  denial.set_name(event.syscall_number < 0 ? "other" : policy::SyscallName(event.syscall_number));
  denial.set_count(event.count);
  if (event.syscall_number >= 0) {
    for (const uint64_t argument : event.args) {
      denial.add_args(argument);
    }
  }
  denial.set_killed(event.killed != 0);
  const DenialText text = DescribeDenial(event.syscall_number, event.args);
  for (const std::string& argument : text.arguments) {
    denial.add_decoded_args(argument);
  }
  denial.set_explanation(text.explanation);
  return denial;
}

}  // namespace caisson::dispatcher
