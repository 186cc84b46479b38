// The caisson-init program, carried inside caissond: nothing on disk can be put in its place.
#ifndef CAISSON_SANDBOX_INIT_IMAGE_H_
#define CAISSON_SANDBOX_INIT_IMAGE_H_

#include <cstddef>
#include <span>

namespace caisson::sandbox {

std::span<const std::byte> InitImage();

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_INIT_IMAGE_H_
