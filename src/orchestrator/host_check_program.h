// Programs of a few instructions, as ELF files, that the host check runs: without a libc there is nothing
// that could fail but what is checked. x86-64, as all of Caisson.
#ifndef CAISSON_ORCHESTRATOR_HOST_CHECK_PROGRAM_H_
#define CAISSON_ORCHESTRATOR_HOST_CHECK_PROGRAM_H_

#include <cstddef>
#include <vector>

namespace caisson::orchestrator {

// Ends with 0.
std::vector<std::byte> ProgramThatEnds();

// Makes a call that its filter must refuse with EPERM (getppid), and looks for open descriptors from 3 to
// 255. Ends with 0, with kCallNotRefused, or with the number of the first descriptor it found.
std::vector<std::byte> ProgramThatLooksAround();
inline constexpr char kRefusedCall[] = "getppid";
inline constexpr int kCallNotRefused = 1;

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_HOST_CHECK_PROGRAM_H_
