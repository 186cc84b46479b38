// The words for a set-up stage, for messages and logs outside the sandbox.
#ifndef CAISSON_SANDBOX_SETUP_STAGE_TEXT_H_
#define CAISSON_SANDBOX_SETUP_STAGE_TEXT_H_

#include <cstdint>

#include "sandbox/setup_stage.h"

namespace caisson::sandbox {

// "mount the root" for 15; "unknown stage" for a number that is none.
const char* SetupStageText(uint32_t stage);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_SETUP_STAGE_TEXT_H_
