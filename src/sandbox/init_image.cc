#include "sandbox/init_image.h"

extern "C" {
extern const std::byte
    caisson_init_image_begin[];                   // NOLINT(readability-identifier-naming): assembler symbols
extern const std::byte caisson_init_image_end[];  // NOLINT(readability-identifier-naming)
}

namespace caisson::sandbox {

std::span<const std::byte> InitImage() { return {caisson_init_image_begin, caisson_init_image_end}; }

}  // namespace caisson::sandbox
