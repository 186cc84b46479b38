// Other sandboxes, by their command lines: what a caller of theirs waits for, beside Caisson in the same
// rounds.
#ifndef CAISSON_BENCH_PEERS_H_
#define CAISSON_BENCH_PEERS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "bench/bare_process.h"

namespace caisson::bench {

struct Peer {
  std::string name;
  BareCommand command;
};

// "NAME=/PATH ARGUMENT..." at single blanks, nothing quoted; it runs in `directory`.
absl::StatusOr<Peer> ParsePeer(const std::string& text, const std::string& directory);

// From before its process starts until it is reaped, in nanoseconds. An error unless it exits with 0.
absl::StatusOr<int64_t> RunPeer(const Peer& peer);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_PEERS_H_
