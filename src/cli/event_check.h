// Holds a server to what docs/api.md promises of a run's events: their order, the offsets of output, the
// pieces of returned files, and how much of everything there can be. A server that breaks it is hostile or
// broken, and either way nothing it sends can be shown as the run's. Pure; untrusted: every event.
#ifndef CAISSON_CLI_EVENT_CHECK_H_
#define CAISSON_CLI_EVENT_CHECK_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "caisson/v1/run.pb.h"
#include "cli/returned_files.h"

namespace caisson::cli {

class EventCheck {
 public:
  // What happens to the program's output: it is passed on, or all of it held in memory for a JSON object.
  enum class Output : bool { kPassed, kGathered };

  // Of one stream, where it is gathered and the request sets no limit: the ceiling profiles have unless they
  // say otherwise.
  static constexpr uint64_t kMaxGatheredBytes = 64ULL * 1024 * 1024;

  EventCheck(const v1::ExecuteRequest& request, Output output);

  // The next event. kDataLoss, in words that continue "the server sent ...", for one that has no place: it
  // must not be looked at, and nothing more be asked. kResourceExhausted, a whole sentence: more than may be
  // gathered.
  absl::Status Accept(const v1::RunEvent& event);

  // Returned files of which only a part came so far.
  std::vector<ReturnedFiles::Part> IncompleteFiles() const { return files_.Incomplete(); }

 private:
  enum class Stage : uint8_t { kWaiting, kAccepted, kFiles, kFinished };
  struct Streams {
    std::array<uint64_t, 2> received_bytes{};  // stdout, stderr
  };

  absl::Status AcceptOutput(const v1::Output& output);
  absl::Status CheckAmount(const v1::Output& output, uint64_t received_bytes) const;
  absl::Status AcceptResult(const v1::RunResult& result);

  const Output output_;
  const uint64_t limit_bytes_;  // of each stream of the run step, as the request has it; 0: it has none
  ReturnedFiles files_;
  Stage stage_ = Stage::kWaiting;
  uint64_t sequence_ = 0;
  Streams compile_;
  Streams run_;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_EVENT_CHECK_H_
