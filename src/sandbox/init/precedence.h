// What caissond may have from its operator and nobody it runs programs for may inherit.
#ifndef CAISSON_SANDBOX_INIT_PRECEDENCE_H_
#define CAISSON_SANDBOX_INIT_PRECEDENCE_H_

#include "sandbox/init/report.h"

namespace caisson::init {

// A real-time class, a negative niceness and a class of input and output that goes before others' are given
// up; a positive niceness and an idle class stay. From here on the kernel ends this process and its children
// before anybody else when the host's memory is used up. Needs the host's /proc.
void GiveUpPrecedence(Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_PRECEDENCE_H_
