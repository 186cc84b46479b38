// Closes descriptors that somebody untrusted made, without waiting for it: close(2) takes as long as their
// maker likes (a TCP socket with SO_LINGER, a file of a FUSE mount, a memfd of many GiB, whose pages are
// freed by whoever closes it last), and caissond must be on time.
#ifndef CAISSON_ORCHESTRATOR_DESCRIPTOR_DISPOSAL_H_
#define CAISSON_ORCHESTRATOR_DESCRIPTOR_DISPOSAL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "common/event_loop.h"
#include "common/pidfd.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {

// Whether it is a memfd (or another file of shared memory).
bool IsMemfd(int fd);

// One after the other, each by a child that shares our descriptor table; one that takes long is killed, which
// ends all such waits that a signal can end.
class DescriptorDisposal {
 public:
  explicit DescriptorDisposal(EventLoop& loop);
  DescriptorDisposal(const DescriptorDisposal&) = delete;
  DescriptorDisposal& operator=(const DescriptorDisposal&) = delete;
  ~DescriptorDisposal();

  // A small sealed memfd, as most bundles are, is closed at once: nobody can make it larger any more.
  void Take(UniqueFd fd);
  void Take(std::vector<UniqueFd> fds);
  // How many wait for their turn.
  size_t waiting() const { return waiting_.size(); }
  // Nothing is left to be closed. `on_idle` is called once, perhaps at once.
  void WhenIdle(std::function<void()> on_idle);

 private:
  void Next();
  void StartChild();
  void OnChildDead();

  EventLoop& loop_;
  std::deque<UniqueFd> waiting_;
  UniqueFd stand_in_;  // what a child puts into a descriptor's place
  UniqueFd current_;   // the child's; what it stands for is known when a child has exited with 0
  PidFd child_;
  EventLoop::TimerId timer_ = 0;
  std::function<void()> on_idle_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_DESCRIPTOR_DISPOSAL_H_
