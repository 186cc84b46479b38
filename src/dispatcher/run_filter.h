// ListRuns' filter: comparisons joined by AND, a small part of AIP-160. Runs in caisson-dispatcher on gRPC's
// threads and on the record thread; the text is a client's, untrusted, and bounded before it is looked at.
#ifndef CAISSON_DISPATCHER_RUN_FILTER_H_
#define CAISSON_DISPATCHER_RUN_FILTER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {

inline constexpr size_t kMaxFilterBytes = 1024;
inline constexpr size_t kMaxFilterTerms = 16;

class RunFilter {
 public:
  // An empty text lets everything through. kInvalidArgument says what is wrong, for the client.
  static absl::StatusOr<RunFilter> Parse(std::string_view text);

  bool Matches(const v1::Run& run) const;
  // False where no run that has ended can match: what is in memory is all there is.
  bool MatchesFinished() const;

 private:
  enum class Field : uint8_t { kState, kVerdict, kProfile, kRequestId, kLabel, kCreateTime };
  enum class Compare : uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  struct Term {
    Field field = Field::kState;
    Compare compare = Compare::kEqual;
    std::string label;   // kLabel: its key
    std::string text;    // what is compared with: profile, request_id, label
    int64_t number = 0;  // state, verdict; create_time in nanoseconds
  };

  static absl::StatusOr<Term> MakeTerm(std::string_view field, std::string_view compare, std::string value);
  static bool Holds(const Term& term, const v1::Run& run);

  std::vector<Term> terms_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_FILTER_H_
