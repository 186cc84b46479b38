// Names of scalar arguments of system calls. Pure.
#ifndef CAISSON_DISPATCHER_ARGUMENT_NAMES_H_
#define CAISSON_DISPATCHER_ARGUMENT_NAMES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace caisson::dispatcher {

// What was asked for in the arguments of `number`, in words; empty for calls that are not in the table.
// Values without a name appear as numbers, so nothing is hidden.
std::vector<std::string> DecodeArguments(int number, std::span<const uint64_t, 6> args);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_ARGUMENT_NAMES_H_
