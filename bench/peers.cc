#include "bench/peers.h"

#include <sstream>

#include "common/status.h"

namespace caisson::bench {

absl::StatusOr<Peer> ParsePeer(const std::string& text, const std::string& directory) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || text.compare(equals, 2, "=/") != 0) {
    return absl::InvalidArgumentError("peer " + text + ": must be NAME=/PATH ARGUMENT...");
  }
  Peer peer;
  peer.name = text.substr(0, equals);
  std::istringstream words(text.substr(equals + 1));
  for (std::string word; words >> word;) {
    peer.command.argv.push_back(word);
  }
  peer.command.executable = peer.command.argv.front();
  peer.command.directory = directory;
  return peer;
}

absl::StatusOr<int64_t> RunPeer(const Peer& peer) {
  ASSIGN_OR_RETURN(const BareOutcome outcome, RunBare(peer.command));
  return outcome.total_ns;
}

}  // namespace caisson::bench
