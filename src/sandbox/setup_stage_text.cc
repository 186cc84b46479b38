#include "sandbox/setup_stage_text.h"

namespace caisson::sandbox {

const char* SetupStageText(uint32_t stage) {
  switch (static_cast<SetupStage>(stage)) {
#define CAISSON_SETUP_STAGE_TEXT(name, number, text) \
  case SetupStage::k##name:                          \
    return text;
    CAISSON_SETUP_STAGES(CAISSON_SETUP_STAGE_TEXT)
#undef CAISSON_SETUP_STAGE_TEXT
  }
  return "unknown stage";
}

}  // namespace caisson::sandbox
