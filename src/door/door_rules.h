// The system calls of a door at work: a process of Asio's that accepts on a listener which is open already
// and gets its connections to the daemon from the connector.
#ifndef CAISSON_DOOR_DOOR_RULES_H_
#define CAISSON_DOOR_DOOR_RULES_H_

#include "lockdown/filter_builder.h"

namespace caisson::door {

// No socket, no connect, no bind, no listen; nothing is sent to an address; files are opened to be read, and
// Landlock says which. What a door needs beyond that it adds itself, before it loads the filter.
void AddDoorRules(lockdown::FilterBuilder& filter);

}  // namespace caisson::door

#endif  // CAISSON_DOOR_DOOR_RULES_H_
