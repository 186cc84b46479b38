// caisson_limits_page PROFILES_DIR: prints docs/limits.md, every default and ceiling as the code has them.
// Not installed; run by `make docs` and by the test that compares the page.
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/status.h"
#include "dispatcher/call_names.h"
#include "dispatcher/denial_log.h"
#include "dispatcher/event_queue.h"
#include "dispatcher/file_upload.h"
#include "dispatcher/follower.h"
#include "dispatcher/interact_reactor.h"
#include "dispatcher/output_pump.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/run.h"
#include "dispatcher/run_filter.h"
#include "dispatcher/run_listing.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/run_store.h"
#include "dispatcher/spool_stream.h"
#include "dispatcher/upload_budget.h"
#include "ipc/run_streams.h"
#include "policy/limits.h"
#include "policy/profile_loader.h"

namespace {

using caisson::policy::LimitId;
using caisson::policy::LimitRange;

// 268435456 as "268,435,456", and bytes that come to whole MiB or so with that beside it.
std::string Number(uint64_t value, std::string_view of) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  uint64_t rest = value;
  int power = -1;
  while (rest % 1024 == 0 && rest != 0 && power < 4) {
    rest /= 1024;
    ++power;
  }
  const bool is_bytes = of.find("bytes") != std::string_view::npos;
  return digits + (is_bytes && power > 0 ? " (" + std::to_string(rest) + " " + kUnits[power] + ")" : "");
}

std::string Ceiling(LimitId id, uint64_t value) {
  return id == LimitId::kCpuMillis ? "1,000 for each CPU" : Number(value, caisson::policy::LimitName(id));
}

std::string Name(LimitId id) { return "`" + std::string(caisson::policy::LimitName(id)) + "`"; }

void PrintStandard() {
  const LimitRange run = caisson::policy::StandardRunLimits();
  const LimitRange compile = caisson::policy::StandardCompileLimits();
  std::puts(
      "## Limits of a run\n\nWhat holds unless the profile says otherwise. Absent in a request means the "
      "default; 0 is "
      "invalid; more than the ceiling is\nrefused. *No profile beyond* is what a profile's own ceiling may "
      "be at most.\n\n"
      "| limit | default | ceiling | compile step: default | compile step: ceiling | no profile beyond |\n"
      "| --- | --- | --- | --- | --- | --- |");
  for (size_t index = 0; index < caisson::policy::kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    std::printf("| %s | %s | %s | %s | %s | %s |\n", Name(id).c_str(),
                Number(run.defaults.Get(id), Name(id)).c_str(), Ceiling(id, run.ceilings.Get(id)).c_str(),
                Number(compile.defaults.Get(id), Name(id)).c_str(),
                Ceiling(id, compile.ceilings.Get(id)).c_str(),
                Number(caisson::policy::AbsoluteMaximum(id), Name(id)).c_str());
  }
}

// The rows where a shipped profile's step differs from the standard.
int PrintDifferences(const std::string& profile, const char* step, const LimitRange& range,
                     const LimitRange& standard) {
  int rows = 0;
  for (size_t index = 0; index < caisson::policy::kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    if (range.defaults.Get(id) == standard.defaults.Get(id) &&
        range.ceilings.Get(id) == standard.ceilings.Get(id)) {
      continue;
    }
    std::printf("| `%s` | %s | %s | %s | %s |\n", profile.c_str(), step, Name(id).c_str(),
                Number(range.defaults.Get(id), Name(id)).c_str(),
                Ceiling(id, range.ceilings.Get(id)).c_str());
    ++rows;
  }
  return rows;
}

void PrintProfiles(const caisson::policy::ProfileSet& profiles) {
  std::puts(
      "\n## Limits of the shipped profiles\n\nOnly what differs from the table above.\n\n"
      "| profile | step | limit | default | ceiling |\n| --- | --- | --- | --- | --- |");
  int rows = 0;
  for (const auto& [name, profile] : profiles) {
    rows += PrintDifferences(name, "run", profile.run.limits, caisson::policy::StandardRunLimits());
    if (profile.compile) {
      rows += PrintDifferences(name, "compile", profile.compile->limits,
                               caisson::policy::StandardCompileLimits());
    }
  }
  if (rows == 0) {
    std::puts("| none | | | | |");
  }
}

void Row(const char* what, uint64_t value) {
  std::printf("| %s | %s |\n", what, Number(value, what).c_str());
}

void PrintRequests() {
  std::puts("\n## Requests\n\n| bound | value |\n| --- | --- |");
  Row("bytes of a request", caisson::dispatcher::kMaxRequestBytes);
  Row("bytes of all files, where they come in chunks", caisson::dispatcher::kMaxUploadBytes);
  Row("bytes of a chunk", caisson::dispatcher::FileUpload::kMaxChunkBytes);
  const caisson::dispatcher::InteractReactor::InputTimeouts timeouts;
  Row("milliseconds to the message `open`, and from one chunk to the next",
      static_cast<uint64_t>(timeouts.message_ms));
  Row("milliseconds for all chunks", static_cast<uint64_t>(timeouts.upload_ms));
  Row("files", caisson::dispatcher::kMaxFiles);
  Row("bytes of a file's path", caisson::wire::kMaxPathBytes);
  Row("components of a file's path", caisson::wire::kMaxPathComponents);
  Row("arguments", caisson::wire::kMaxArgs);
  Row("bytes of all arguments", caisson::dispatcher::kMaxArgsBytes);
  Row("environment variables", caisson::wire::kMaxEnv);
  Row("bytes of all environment variables", caisson::dispatcher::kMaxEnvBytes);
  Row("libraries", caisson::dispatcher::kMaxPackages);
  Row("labels", caisson::dispatcher::kMaxLabels);
  Row("bytes of a label's value", caisson::dispatcher::kMaxLabelValueBytes);
  Row("output paths", caisson::wire::kMaxOutputPaths);
  std::puts("\n## Streams and results\n\n| bound | value |\n| --- | --- |");
  Row("bytes of one `output` event's data", caisson::dispatcher::kMaxChunkBytes);
  Row("output events of one stream that wait for a slow client",
      caisson::dispatcher::EventQueue::kMaxOutputEvents);
  Row("`denial` events of a step, as they happen", caisson::wire::kMaxLiveDenials);
  Row("different calls of a step that are counted one by one", caisson::wire::kMaxDenialKinds);
  Row("entries of `denials`", caisson::dispatcher::kMostDenials);
  Row("entries of `denials` with an explanation", caisson::dispatcher::kMostExplained);
  Row("returned files", caisson::wire::kMaxOutputFiles);
  Row("bytes of all returned files", caisson::wire::kMaxOutputTotalBytes);
  Row("directories below an output path, in depth", caisson::wire::kMaxOutputDepth);
  Row("output paths refused that are listed", caisson::wire::kMaxOutputRefusals);
  Row("milliseconds for a client to take the rest after its run has ended",
      caisson::dispatcher::Run::kDeliveryTimeoutMs);
  std::puts("\n## Admission and records\n\n| bound | value |\n| --- | --- |");
  Row("bytes of all waiting requests", caisson::dispatcher::RunManager::kMaxQueuedBytes);
  Row("bytes of all uploads", caisson::dispatcher::kUploadBudgetBytes);
  Row("milliseconds of the retry delay in refusals", caisson::dispatcher::RunManager::kRetryDelayMs);
  Row("runs of a tenant that are kept, whatever their size", caisson::dispatcher::RunStore::kMaxRecords);
  Row("bytes held back on the disk", caisson::dispatcher::RunStore::kBallastBytes);
  Row("bytes of a run's output on the way to the disk", caisson::dispatcher::SpoolStream::kMaxInFlightBytes);
  Row("bytes of `request_id`", caisson::dispatcher::kMaxRequestIdBytes);
  Row("bytes of `filter`", caisson::dispatcher::kMaxFilterBytes);
  Row("comparisons in `filter`", caisson::dispatcher::kMaxFilterTerms);
  Row("runs looked at for one page", caisson::dispatcher::kMaxRunsLookedAt);
  Row("milliseconds for a follower to take an event", caisson::dispatcher::Followers::kIdleTimeoutMs);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: caisson_limits_page PROFILES_DIR\n", stderr);
    return 2;
  }
  const auto profiles = caisson::policy::LoadProfiles(argv[1], caisson::policy::FileTrust::kAnyOwner);
  if (!profiles.ok()) {
    std::fprintf(stderr, "caisson_limits_page: %s\n", caisson::Message(profiles.status()).c_str());
    return 1;
  }
  std::puts(
      "# Limits: every default and ceiling\n\nMade from the code by `make docs`; a test compares. What "
      "happens when a limit is "
      "reached, and how exactly it holds, is in\n[specification.md](specification.md); the configuration's "
      "ranges are in "
      "caissond.json(5) and `deploy/caissond.schema.json`.\n");
  PrintStandard();
  PrintProfiles(*profiles);
  PrintRequests();
  return 0;
}
