#include "gateway/request_head.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <charconv>

#include "common/status.h"

namespace caisson::gateway {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr size_t kMaxIdBytes = 64;
constexpr size_t kMaxAuthorizationBytes = 256;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// "localhost" of "LOCALHOST:8080", "[::1]" of "[::1]:8080"; empty for what is no host.
std::string NameOf(std::string_view host) {
  const size_t bracket = host.find(']');
  const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view port = host.substr(std::min(colon, host.size()));
  if (port.size() == 1 || port.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    return {};
  }
  return Lower(host.substr(0, colon));
}

bool IsOurs(std::string_view host, const Doors& doors) {
  const std::string name = NameOf(host);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" || doors.hosts.contains(name);
}

// One range of an Accept header: its type and its weight in thousandths.
struct MediaRange {
  std::string type;
  int weight = 1'000;
};

int WeightOf(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
      (text.size() > 1 && text[1] != '.')) {
    return 0;
  }
  int thousandths = (text[0] - '0') * 1'000;
  int unit = 100;
  for (const char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (c < '0' || c > '9') {
      return 0;
    }
    thousandths += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(thousandths, 1'000);
}

MediaRange RangeOf(std::string_view text) {
  MediaRange range;
  range.type = Lower(Trim(text.substr(0, text.find(';'))));
  while (true) {
    const size_t semicolon = text.find(';');
    if (semicolon == std::string_view::npos) {
      return range;
    }
    text.remove_prefix(semicolon + 1);
    const std::string parameter = Lower(Trim(text.substr(0, text.find(';'))));
    if (parameter.rfind("q=", 0) == 0) {
      range.weight = WeightOf(std::string_view(parameter).substr(2));
    }
  }
}

// How much the client wants `type`: the most precise range that fits decides.
int WantedOf(std::string_view accept, std::string_view type) {
  const std::string family = std::string(type.substr(0, type.find('/'))) + "/*";
  int precision = -1;
  int weight = 0;
  while (!accept.empty()) {
    const std::string_view entry = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(entry.size() + 1, accept.size()));
    const MediaRange range = RangeOf(entry);
    const int here = range.type == type ? 2 : range.type == family ? 1 : range.type == "*/*" ? 0 : -1;
    if (here > precision) {
      precision = here;
      weight = range.weight;
    }
  }
  return weight;
}

}  // namespace

std::string FreshRequestId() {
  std::array<unsigned char, 16> random{};
  CAISSON_CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : random) {
    id += kHex[byte >> 4U];
    id += kHex[byte & 0xfU];
  }
  return id;
}

std::string RequestId(const RequestHeader& head, const std::string& fresh) {
  const std::string_view text = View(head["X-Request-Id"]);
  const bool good =
      !text.empty() && text.size() <= kMaxIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '.' || c == '-';
      });
  return good ? std::string(text) : fresh;
}

std::string Traceparent(const RequestHeader& head) {
  const std::string_view text = View(head["traceparent"]);
  if (head.count("traceparent") != 1 || text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' ||
      text[52] != '-') {
    return {};
  }
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const bool good =
      IsHex(trace) && IsHex(parent) && IsHex(text.substr(53)) && !IsZero(trace) && !IsZero(parent);
  return good ? std::string(text) : std::string();
}

std::string BoundedAuthorization(std::string text) {
  // gRPC refuses the whole call for a byte that metadata cannot have.
  const bool good = !text.empty() && text.size() <= kMaxAuthorizationBytes &&
                    std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return good ? std::move(text) : kMalformedAuthorization;
}

std::string Authorization(const RequestHeader& head) {
  switch (head.count(http::field::authorization)) {
    case 0:
      return {};
    case 1:
      return BoundedAuthorization(std::string(View(head[http::field::authorization])));
    default:
      return kMalformedAuthorization;
  }
}

std::optional<Problem> CheckHead(const RequestHeader& head, const Doors& doors) {
  if (std::distance(head.begin(), head.end()) > static_cast<std::ptrdiff_t>(kMaxHeaders)) {
    return Refuse(Refusal::kHeadersTooLarge, "more than " + std::to_string(kMaxHeaders) + " headers");
  }
  if (head.count(http::field::host) != 1) {
    return Refuse(Refusal::kMalformedHttp, "there must be one Host header");
  }
  const std::string_view host = View(head[http::field::host]);
  if (!IsOurs(host, doors)) {
    return Refuse(Refusal::kHostNotAllowed,
                  "the Host header must be localhost, 127.0.0.1, [::1] or one of --allow-host");
  }
  if (head.count(http::field::origin) == 0) {
    return std::nullopt;
  }
  // A page that the gateway itself served has it as its origin.
  if (AllowedOrigin(head, doors).empty() &&
      View(head[http::field::origin]) != "http://" + std::string(host)) {
    return Refuse(Refusal::kOriginNotAllowed, "the Origin header must be one of --allow-origin");
  }
  return std::nullopt;
}

std::string AllowedOrigin(const RequestHeader& head, const Doors& doors) {
  const std::string origin(View(head[http::field::origin]));
  return head.count(http::field::origin) == 1 && doors.origins.contains(origin) ? origin : std::string();
}

bool IsJson(const RequestHeader& head) {
  if (head.count(http::field::content_type) != 1) {
    return false;
  }
  const std::string text = Lower(View(head[http::field::content_type]));
  const std::string_view type = Trim(std::string_view(text).substr(0, text.find(';')));
  if (type != "application/json") {
    return false;
  }
  const size_t semicolon = text.find(';');
  if (semicolon == std::string::npos) {
    return true;
  }
  const std::string_view parameter = Trim(std::string_view(text).substr(semicolon + 1));
  return parameter.empty() || parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
}

Answer Accepted(const RequestHeader& head) {
  if (head.count(http::field::accept) == 0) {
    return Answer::kJson;
  }
  std::string accept;
  for (auto [at, end] = head.equal_range(http::field::accept); at != end; ++at) {
    accept += std::string(View(at->value())) + ",";
  }
  const int json = WantedOf(accept, "application/json");
  const int events = WantedOf(accept, "text/event-stream");
  if (json == 0 && events == 0) {
    return Answer::kNeither;
  }
  return events > json ? Answer::kEvents : Answer::kJson;
}

}  // namespace caisson::gateway
