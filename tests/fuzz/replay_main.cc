// The main of a fuzz target in ordinary builds: runs the target once on each file of the corpus directories
// given. A missing or empty corpus is a failure, or a renamed folder would pass for ever.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "common/files.h"
#include "common/status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxSeedBytes = 1 << 20;

int Replay(const std::filesystem::path& folder) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto bytes = caisson::ReadFile(entry.path().string(), kMaxSeedBytes);
    if (!bytes.ok()) {
      static_cast<void>(std::fprintf(stderr, "%s\n", caisson::Message(bytes.status()).c_str()));
      return -1;
    }
    // SAFETY: char and uint8_t have the same representation; libFuzzer's interface demands the latter.
    static_cast<void>(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()));
    ++inputs;
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  int inputs = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    if (!std::filesystem::is_directory(argv[i], error)) {
      static_cast<void>(std::fprintf(stderr, "%s: not a directory\n", argv[i]));
      return 1;
    }
    const int replayed = Replay(argv[i]);
    if (replayed <= 0) {
      static_cast<void>(std::fprintf(stderr, "%s: no input could be replayed\n", argv[i]));
      return 1;
    }
    inputs += replayed;
  }
  static_cast<void>(std::printf("%d inputs replayed\n", inputs));
  return inputs > 0 ? 0 : 1;
}
