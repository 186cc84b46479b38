// Who waits for the gate's leave: connections, in turn within their group (a tenant, or the operators), and
// groups in turn among each other, so that the connections of one do not come before another's by being many.
// Pure.
#ifndef CAISSON_DISPATCHER_SCHEDULING_WAITING_LINE_H_
#define CAISSON_DISPATCHER_SCHEDULING_WAITING_LINE_H_

#include <algorithm>
#include <deque>
#include <list>
#include <string>
#include <utility>

namespace caisson::dispatcher {

template <class Connection>
class WaitingLine {
 public:
  bool empty() const { return groups_.empty(); }

  void PushBack(Connection* connection, const std::string& group) { Of(group).second.push_back(connection); }
  // The next one of all.
  void PushFront(Connection* connection, const std::string& group) {
    Of(group).second.push_front(connection);
    groups_.splice(groups_.begin(), groups_, Find(group));
  }
  // The first one of the group whose turn it is, which is then the last. The line is not empty.
  Connection* Pop() {
    const auto group = groups_.begin();
    Connection* const first = group->second.front();
    group->second.pop_front();
    group->second.empty() ? static_cast<void>(groups_.erase(group))
                          : groups_.splice(groups_.end(), groups_, group);
    return first;
  }
  void Remove(Connection* connection) {
    for (auto group = groups_.begin(); group != groups_.end();) {
      const auto next = std::next(group);
      std::erase(group->second, connection);
      if (group->second.empty()) {
        groups_.erase(group);
      }
      group = next;
    }
  }

 private:
  using Group = std::pair<std::string, std::deque<Connection*>>;

  typename std::list<Group>::iterator Find(const std::string& name) {
    return std::find_if(groups_.begin(), groups_.end(),
                        [&](const Group& group) { return group.first == name; });
  }
  Group& Of(const std::string& name) {
    const auto found = Find(name);
    return found != groups_.end() ? *found : groups_.emplace_back(name, std::deque<Connection*>());
  }

  std::list<Group> groups_;  // none is empty
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SCHEDULING_WAITING_LINE_H_
