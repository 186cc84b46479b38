// What caissond and its builder say to each other: fixed structs, one a packet, between two processes of the
// same program and the same rights. Nothing in them comes from a client but numbers that caissond has
// checked.
#ifndef CAISSON_ORCHESTRATOR_BUILDER_MESSAGES_H_
#define CAISSON_ORCHESTRATOR_BUILDER_MESSAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace caisson::orchestrator {

inline constexpr size_t kRunNameBytes = 32;          // with the NUL
inline constexpr size_t kBuilderMessageBytes = 512;  // with the NUL; longer ones are cut

enum class OrderKind : uint32_t { kBuild = 1, kRemove = 2 };

struct BuilderOrder {
  uint64_t token;
  OrderKind kind;
  uint32_t plan;  // kBuild: the index in the list that both have
  uint64_t disk_bytes;
  uint64_t inode_count;
  uint32_t init_host_id;
  uint32_t payload_host_id;
  std::array<char, kRunNameBytes> run;
};

enum class OrderResult : uint32_t { kDone = 0, kBusy = 1, kFailed = 2 };

// A build that is done carries init's pidfd, the control socket, cpu.stat and, on a hybrid host, the OOM
// event; one that failed carries init's pidfd where there was one.
struct BuilderAnswer {
  uint64_t token;
  OrderResult result;
  uint32_t stage;    // sandbox::SetupStage, of a build that failed
  int32_t init_pid;  // 0: no init was started
  uint32_t reserved;
  uint64_t root_template;  // of a build: the mount namespace of which init takes a copy
  std::array<char, kBuilderMessageBytes> message;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_BUILDER_MESSAGES_H_
