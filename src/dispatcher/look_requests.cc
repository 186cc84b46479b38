#include "dispatcher/look_requests.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "common/status.h"
#include "dispatcher/convert.h"
#include "dispatcher/errors.h"
#include "dispatcher/requested_limits.h"
#include "dispatcher/run_filter.h"
#include "dispatcher/spool_format.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kMaxPageTokenBytes = 64;
constexpr size_t kDefaultPageSize = 50;
constexpr size_t kMaxPageSize = 1'000;
constexpr auto kLastPlace = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

}  // namespace

grpc::Status CheckPageSize(int32_t page_size) {
  return page_size >= 0 ? grpc::Status::OK
                        : RefuseFields(Reason::kInvalidRequest, {{"page_size", "must not be negative"}});
}

namespace {

grpc::Status InvalidPageToken() {
  return RefuseFields(Reason::kInvalidRequest, {{"page_token", "is not a token of an earlier page"}});
}

}  // namespace

grpc::Status CheckNamePageToken(const std::string& token) {
  return token.size() <= kMaxPageTokenBytes ? grpc::Status::OK : InvalidPageToken();
}

grpc::Status ReadOffsets(const v1::FollowRunRequest& follow, FollowPosition& from) {
  std::set<SpoolPart> seen;
  for (int i = 0; i < follow.offsets_size(); ++i) {
    const v1::FollowRunRequest::StreamOffset& offset = follow.offsets(i);
    const std::optional<SpoolPart> part = PartOf(offset.stream(), offset.step());
    const std::string field = "offsets[" + std::to_string(i) + "]";
    if (!part.has_value()) {
      return RefuseFields(Reason::kInvalidRequest,
                          {{field, "needs the stream stdout or stderr, and the step compile or run"}});
    }
    if (!seen.insert(*part).second) {
      return RefuseFields(Reason::kInvalidRequest, {{field, "names a stream that was named before"}});
    }
    from.next.at(static_cast<size_t>(*part)) = offset.offset();
  }
  return grpc::Status::OK;
}

grpc::Status ReadListing(const v1::ListRunsRequest& list, ListingRequest& listing) {
  if (const grpc::Status status = CheckPageSize(list.page_size()); !status.ok()) {
    return status;
  }
  listing.size = list.page_size() == 0 ? kDefaultPageSize
                                       : std::min(static_cast<size_t>(list.page_size()), kMaxPageSize);
  absl::StatusOr<RunFilter> filter = RunFilter::Parse(list.filter());
  if (!filter.ok()) {
    return RefuseFields(Reason::kInvalidRequest, {{"filter", Message(filter.status())}});
  }
  listing.filter = *std::move(filter);
  const std::string& token = list.page_token();
  if (!token.empty()) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), listing.before);
    if (error != std::errc() || end != token.data() + token.size() || listing.before == 0 ||
        listing.before > kLastPlace) {
      return InvalidPageToken();
    }
  }
  return grpc::Status::OK;
}

v1::ListProfilesResponse MakeProfilePage(const ProfileCatalog& catalog, const v1::ListProfilesRequest& list,
                                         const policy::TenantPolicy* policy) {
  v1::ListProfilesResponse page;
  const auto& entries = catalog.entries();
  for (auto at = entries.upper_bound(list.page_token()); at != entries.end(); ++at) {
    if (policy != nullptr && !policy->AllowsProfile(at->first)) {
      continue;
    }
    if (list.page_size() != 0 && page.profiles_size() == list.page_size()) {
      page.set_next_page_token(page.profiles(page.profiles_size() - 1).name());
      break;
    }
    v1::Profile& added = *page.add_profiles();
    added = ProfileToProto(at->second);
    if (policy != nullptr) {
      const policy::LimitRange within = policy->Within(at->second.profile.run.limits);
      *added.mutable_default_limits() = LimitsToProto(within.defaults);
      *added.mutable_ceilings() = LimitsToProto(within.ceilings);
    }
  }
  return page;
}

}  // namespace caisson::dispatcher
