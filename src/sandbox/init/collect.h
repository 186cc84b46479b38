// Collects a run's output files, after every process of it but init is dead. Built hosted too: the unit tests
// and the fuzzer walk real trees with it.
#ifndef CAISSON_SANDBOX_INIT_COLLECT_H_
#define CAISSON_SANDBOX_INIT_COLLECT_H_

#include <stdint.h>

#include "sandbox/init/collect_listing.h"
#include "sandbox/init/collect_paths.h"
#include "sandbox/init/collect_stream.h"

namespace caisson::init {

// Directories one below the other: those of an output path, then kMaxOutputDepth.
inline constexpr uint32_t kMaxOutputLevels = wire::kMaxPathComponents + wire::kMaxOutputDepth + 1;
// Names looked at in all; more are not even listed.
inline constexpr uint32_t kMaxOutputEntries = 65'536;
inline constexpr uint32_t kMaxFileNameBytes = 255;

// A directory the walk is in.
struct OutputLevel {
  int fd;
  uint32_t depth;       // directories below the nearest output path
  uint32_t path_bytes;  // of the directory's own path
  uint32_t next;        // name to be visited next
  Listings::List list;
};

// Large, and touched as far as it is needed only.
struct CollectMemory {
  OutputFrame frame;
  Listings listings;
  OutputLevel levels[kMaxOutputLevels];
  char path[wire::kMaxPathBytes + 1 + kMaxFileNameBytes + 1];
};

class Collector {
 public:
  // `box`: a directory, which no output path leads out of. `pipe`: blocking.
  Collector(CollectMemory& memory, int box, BundleReader bundle, int pipe)
      : memory_(memory), box_(box), asked_(bundle), stream_(pipe, memory.frame) {
    memory.listings.Clear();
  }

  // Sends everything up to kDone, or as much as somebody reads.
  void Run();

  struct Found {
    int32_t error;  // 0, or the rest does not hold
    uint32_t mode;
    uint32_t links;
    uint64_t inode;
    uint64_t size;
    uint64_t allocated;
  };

  static Found Inspect(int fd);

 private:
  static long Open(int directory, const char* name, uint64_t flags);

  void Walk();
  void Visit(int directory, const char* name, uint32_t depth);
  void VisitFile(int directory, const char* name, const Found& found);
  void SendFile(int fd, const Found& found);
  void Enter(int directory, const char* name, uint32_t depth);
  void List(OutputLevel& level);
  void SetPath(uint32_t directory_bytes, const char* name);
  void Refuse(wire::OutputRefusal reason, long result = 0);

  CollectMemory& memory_;
  int box_;
  AskedPaths asked_;
  OutputStream stream_;
  uint32_t level_count_ = 0;
  uint32_t path_bytes_ = 0;
  uint32_t entries_ = 0;
};

// What init does: maps the bundle, collects below /box. Returns when there is nothing more to send, and
// without kDone where it cannot begin.
void CollectOutputs(int bundle, int pipe);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_COLLECT_H_
