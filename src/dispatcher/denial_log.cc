#include "dispatcher/denial_log.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "dispatcher/convert.h"
#include "dispatcher/denial_text.h"
#include "policy/filter_compiler.h"

namespace caisson::dispatcher {
namespace {

// -1, the sum of the others, is the largest.
uint32_t Key(const wire::Event& event) { return static_cast<uint32_t>(event.syscall_number); }

// What stays in a list that is too long: first what ended the run.
int Weight(const wire::Event& event) {
  if (event.syscall_number < 0) {
    return 0;
  }
  return event.killed != 0 ? 2 : 1;
}

}  // namespace

void DenialLog::Add(const wire::Event& event) {
  const uint32_t key = Key(event);
  if (event.type == wire::EventType::kDenial) {
    by_syscall_.emplace(key, event);
  } else {
    by_syscall_.insert_or_assign(key, event);
  }
}

std::vector<wire::Event> DenialLog::Listed(size_t most) const {
  std::vector<wire::Event> listed;
  for (const auto& [key, event] : by_syscall_) {
    listed.push_back(event);
  }
  if (listed.size() <= most || most == 0) {
    listed.resize(std::min(listed.size(), most));
    return listed;
  }
  std::stable_sort(listed.begin(), listed.end(),
                   [](const wire::Event& a, const wire::Event& b) { return Weight(a) > Weight(b); });
  wire::Event other{wire::kEventMagic, wire::EventType::kOtherDenials, -1, 0, 0, {}};
  for (size_t i = most - 1; i < listed.size(); ++i) {
    other.killed |= listed[i].killed;
    if (__builtin_add_overflow(other.count, listed[i].count, &other.count)) {
      other.count = std::numeric_limits<uint64_t>::max();
    }
  }
  listed.resize(most - 1);
  std::sort(listed.begin(), listed.end(),
            [](const wire::Event& a, const wire::Event& b) { return Key(a) < Key(b); });
  listed.push_back(other);
  return listed;
}

std::vector<v1::Denial> SummarizeDenials(const std::vector<StepDenials>& steps) {
  // The smallest first, so that what it leaves can be shared.
  std::vector<size_t> by_size(steps.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::sort(by_size.begin(), by_size.end(),
            [&steps](size_t a, size_t b) { return steps[a].log->size() < steps[b].log->size(); });
  std::vector<size_t> places(steps.size());
  std::vector<size_t> explained(steps.size());
  size_t places_left = kMostDenials;
  size_t explained_left = kMostExplained;
  for (size_t i = 0; i < by_size.size(); ++i) {
    const size_t size = steps[by_size[i]].log->size();
    const size_t sharers = by_size.size() - i;
    places[by_size[i]] = std::min(size, places_left / sharers);
    explained[by_size[i]] = std::min(size, explained_left / sharers);
    places_left -= places[by_size[i]];
    explained_left -= explained[by_size[i]];
  }
  std::vector<v1::Denial> denials;
  for (size_t i = 0; i < steps.size(); ++i) {
    size_t listed = 0;
    for (const wire::Event& event : steps[i].log->Listed(places[i])) {
      denials.push_back(DenialToProto(steps[i].step, event));
      if (++listed > explained[i]) {
        denials.back().clear_explanation();
      }
    }
  }
  return denials;
}

v1::Denial DenialToProto(ipc::Step step, const wire::Event& event) {
  v1::Denial denial;
  denial.set_step(StepName(step));
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
