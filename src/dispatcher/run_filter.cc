#include "dispatcher/run_filter.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

using google::protobuf::util::TimeUtil;

constexpr std::string_view kLabelPrefix = "labels.";
constexpr int64_t kLastSecond = 7'258'118'400;  // the year 2200

bool IsSpace(char byte) { return byte == ' ' || byte == '\t'; }

bool IsWord(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '.' || byte == '-' || byte == ':';
}

// Takes words, quoted texts and comparisons off the front of a filter.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : left_(text) {}

  bool AtEnd() {
    SkipSpace();
    return left_.empty();
  }

  // Empty: there is none here.
  std::string_view Word() {
    SkipSpace();
    const auto* const end = std::find_if_not(left_.begin(), left_.end(), IsWord);
    return Take(static_cast<size_t>(end - left_.begin()));
  }

  std::string_view Comparison() {
    SkipSpace();
    for (const std::string_view sign : {"!=", "<=", ">=", "=", "<", ">"}) {
      if (left_.substr(0, sign.size()) == sign) {
        return Take(sign.size());
      }
    }
    return {};
  }

  // A word, or anything in double quotes; \" and \\ in there are the characters themselves.
  absl::StatusOr<std::string> Value() {
    SkipSpace();
    if (left_.empty() || left_.front() != '"') {
      const std::string_view word = Word();
      return word.empty() ? absl::StatusOr<std::string>(absl::InvalidArgumentError("a value is missing"))
                          : std::string(word);
    }
    left_.remove_prefix(1);
    std::string value;
    while (!left_.empty() && left_.front() != '"') {
      if (left_.front() == '\\' && left_.size() > 1) {
        left_.remove_prefix(1);
      }
      value += left_.front();
      left_.remove_prefix(1);
    }
    if (left_.empty()) {
      return absl::InvalidArgumentError("a quote is not closed");
    }
    left_.remove_prefix(1);
    return value;
  }

 private:
  void SkipSpace() {
    while (!left_.empty() && IsSpace(left_.front())) {
      left_.remove_prefix(1);
    }
  }
  std::string_view Take(size_t size) {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
};

}  // namespace

absl::StatusOr<RunFilter::Term> RunFilter::MakeTerm(std::string_view field, std::string_view compare,
                                                    std::string value) {
  constexpr std::array<std::string_view, 6> kSigns = {"=", "!=", "<", "<=", ">", ">="};
  const auto* const sign = std::find(kSigns.begin(), kSigns.end(), compare);
  if (sign == kSigns.end()) {
    return absl::InvalidArgumentError("a comparison is missing: =, !=, <, <=, > or >=");
  }
  Term term;
  term.compare = static_cast<Compare>(sign - kSigns.begin());
  const bool has_order = field == "create_time";
  if (!has_order && term.compare > Compare::kNotEqual) {
    return absl::InvalidArgumentError("only create_time can be less or greater");
  }
  if (field == "state") {
    v1::Run::State state = v1::Run::STATE_UNSPECIFIED;
    if (!v1::Run::State_Parse(value, &state)) {
      return absl::InvalidArgumentError("no such state");
    }
    term.field = Field::kState;
    term.number = state;
  } else if (field == "verdict") {
    v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
    if (!v1::Verdict_Parse(value, &verdict)) {
      return absl::InvalidArgumentError("no such verdict");
    }
    term.field = Field::kVerdict;
    term.number = verdict;
  } else if (has_order) {
    google::protobuf::Timestamp time;
    // Beyond these years nanoseconds do not fit into 64 bits; no run is older or newer.
    if (!TimeUtil::FromString(value, &time) || time.seconds() < 0 || time.seconds() > kLastSecond) {
      return absl::InvalidArgumentError("create_time needs a time as 2026-01-31T12:00:00Z");
    }
    term.field = Field::kCreateTime;
    term.number = TimeUtil::TimestampToNanoseconds(time);
  } else if (field == "profile" || field == "request_id") {
    term.field = field == "profile" ? Field::kProfile : Field::kRequestId;
    term.text = std::move(value);
  } else if (field.substr(0, kLabelPrefix.size()) == kLabelPrefix && field.size() > kLabelPrefix.size()) {
    term.field = Field::kLabel;
    term.label = field.substr(kLabelPrefix.size());
    term.text = std::move(value);
  } else {
    return absl::InvalidArgumentError(
        "no such field; there are state, verdict, profile, request_id, create_time and labels.KEY");
  }
  return term;
}

absl::StatusOr<RunFilter> RunFilter::Parse(std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return absl::InvalidArgumentError("has more than " + std::to_string(kMaxFilterBytes) + " bytes");
  }
  RunFilter filter;
  Scanner scanner(text);
  if (scanner.AtEnd()) {
    return filter;
  }
  while (true) {
    if (filter.terms_.size() == kMaxFilterTerms) {
      return absl::InvalidArgumentError("has more than " + std::to_string(kMaxFilterTerms) + " comparisons");
    }
    const std::string_view field = scanner.Word();
    const std::string_view compare = scanner.Comparison();
    ASSIGN_OR_RETURN(std::string value, scanner.Value());
    ASSIGN_OR_RETURN(Term term, MakeTerm(field, compare, std::move(value)));
    filter.terms_.push_back(std::move(term));
    if (scanner.AtEnd()) {
      return filter;
    }
    if (scanner.Word() != "AND") {
      return absl::InvalidArgumentError("comparisons are joined by AND, and by nothing else");
    }
  }
}

bool RunFilter::Holds(const Term& term, const v1::Run& run) {
  const auto text_holds = [&term](const std::string& have) {
    return (have == term.text) == (term.compare == Compare::kEqual);
  };
  const auto number_holds = [&term](int64_t have) {
    switch (term.compare) {
      case Compare::kEqual:
        return have == term.number;
      case Compare::kNotEqual:
        return have != term.number;
      case Compare::kLess:
        return have < term.number;
      case Compare::kLessOrEqual:
        return have <= term.number;
      case Compare::kGreater:
        return have > term.number;
      case Compare::kGreaterOrEqual:
        return have >= term.number;
    }
    return false;
  };
  switch (term.field) {
    case Field::kState:
      return number_holds(run.state());
    case Field::kVerdict:
      return number_holds(run.result().verdict());
    case Field::kProfile:
      return text_holds(run.profile());
    case Field::kRequestId:
      return text_holds(run.request_id());
    case Field::kCreateTime:
      return number_holds(TimeUtil::TimestampToNanoseconds(run.create_time()));
    case Field::kLabel: {
      const auto label = run.labels().find(term.label);
      // A label that is not there is like no text, and unlike each.
      return label == run.labels().end() ? term.compare == Compare::kNotEqual : text_holds(label->second);
    }
  }
  return false;
}

bool RunFilter::MatchesFinished() const {
  return std::none_of(terms_.begin(), terms_.end(), [](const Term& term) {
    return term.field == Field::kState &&
           (term.number == v1::Run::FINISHED) == (term.compare == Compare::kNotEqual);
  });
}

bool RunFilter::Matches(const v1::Run& run) const {
  return std::all_of(terms_.begin(), terms_.end(), [&run](const Term& term) { return Holds(term, run); });
}

}  // namespace caisson::dispatcher
