#include "dispatcher/run_listing.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kRowsAtOnce = 100;

// Both sources as one, newest first.
class Merged {
 public:
  Merged(const Caller& caller, uint64_t before, const LiveRuns& live, const ReadStored& read)
      : caller_(caller), next_(before), live_(live), read_(read) {}

  // The newest run below the one before it; nothing at the end.
  absl::StatusOr<std::optional<std::pair<uint64_t, v1::Run>>> Next() {
    if (at_ == rows_.size() && !at_end_) {
      ASSIGN_OR_RETURN(rows_, read_(next_, kRowsAtOnce));
      at_ = 0;
      at_end_ = rows_.size() < kRowsAtOnce;
    }
    auto live = live_.lower_bound(next_);
    const bool any_live = live != live_.begin();
    const bool any_stored = at_ < rows_.size();
    if (!any_live && !any_stored) {
      return std::nullopt;
    }
    live = any_live ? std::prev(live) : live;
    const uint64_t live_place = any_live ? live->first : 0;
    const uint64_t stored_place = any_stored ? caller_.PlaceOf(rows_[at_].key, rows_[at_].number) : 0;
    next_ = std::max(live_place, stored_place);
    std::pair<uint64_t, v1::Run> found{next_, {}};
    // Where both have it, memory knows more, unless it was stored as finished in the meantime.
    const bool stored_counts =
        stored_place == next_ && (live_place != next_ || rows_[at_].run.state() == v1::Run::FINISHED);
    found.second = stored_counts ? std::move(rows_[at_].run) : live->second;
    at_ += stored_place == next_ ? 1 : 0;
    return found;
  }

 private:
  const Caller& caller_;
  uint64_t next_;
  const LiveRuns& live_;
  const ReadStored& read_;
  std::vector<StoredRun> rows_;
  size_t at_ = 0;
  bool at_end_ = false;
};

}  // namespace

absl::StatusOr<v1::ListRunsResponse> BuildPage(const ListingRequest& request, const LiveRuns& live,
                                               const ReadStored& read) {
  v1::ListRunsResponse page;
  constexpr auto kNewest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  Merged runs(request.caller, request.before == 0 ? kNewest : request.before, live, read);
  size_t bytes = 0;
  size_t looked_at = 0;
  uint64_t last = 0;
  while (true) {
    ASSIGN_OR_RETURN(auto next, runs.Next());
    if (!next.has_value()) {
      return page;
    }
    if (static_cast<size_t>(page.runs_size()) == request.size || bytes >= kMaxPageBytes ||
        looked_at == kMaxRunsLookedAt) {
      page.set_next_page_token(std::to_string(last));  // Those below it are still to come.
      return page;
    }
    ++looked_at;
    last = next->first;
    if (request.filter.Matches(next->second)) {
      bytes += next->second.ByteSizeLong();
      *page.add_runs() = std::move(next->second);
    }
  }
}

}  // namespace caisson::dispatcher
