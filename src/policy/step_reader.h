// Reads one section of a profile's "steps".
#ifndef CAISSON_POLICY_STEP_READER_H_
#define CAISSON_POLICY_STEP_READER_H_

#include "policy/json_document.h"
#include "policy/profile_source.h"

namespace caisson::policy {

// Reads every key of the object; complaints go to the reader's list.
StepSource ReadStep(JsonObjectReader& reader);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_STEP_READER_H_
