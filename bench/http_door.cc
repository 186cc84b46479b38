#include "bench/http_door.h"

#include <google/protobuf/util/json_util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

absl::Status SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return ErrnoStatus(errno, "send to the gateway");
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

// How long the whole answer is, once its head is there; 0 before.
size_t LengthOf(const std::string& answer) {
  constexpr std::string_view kLength = "Content-Length: ";
  const size_t end = answer.find("\r\n\r\n");
  const size_t at = answer.find(kLength);
  if (end == std::string::npos || at == std::string::npos || at > end) {
    return 0;
  }
  size_t body = 0;
  std::from_chars(answer.data() + at + kLength.size(), answer.data() + end, body);
  return end + 4 + body;
}

absl::StatusOr<std::string> ReceiveAnswer(int fd) {
  std::string answer;
  std::array<char, 65'536> piece{};
  for (size_t length = 0; length == 0 || answer.size() < length; length = LengthOf(answer)) {
    const ssize_t read = recv(fd, piece.data(), piece.size(), 0);
    if (read <= 0) {
      return absl::UnavailableError("the gateway closed the connection");
    }
    answer.append(piece.data(), static_cast<size_t>(read));
  }
  return answer;
}

}  // namespace

absl::StatusOr<HttpDoor> HttpDoor::Connect(uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  // SAFETY: the sockets API takes every address family through sockaddr.
  if (!fd.valid() || setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return ErrnoStatus(errno, "connect to the gateway");
  }
  return HttpDoor(std::move(fd));
}

absl::StatusOr<std::string> HttpDoor::Prepare(const v1::ExecuteRequest& request) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string body;
  if (!google::protobuf::util::MessageToJsonString(request, &body, options).ok()) {
    return absl::InternalError("the request has no form in JSON");
  }
  return "POST /v1/runs:execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

absl::StatusOr<int64_t> HttpDoor::Execute(const std::string& request) {
  const int64_t began = MonotonicNanos();
  RETURN_IF_ERROR(SendAll(socket_.get(), request));
  ASSIGN_OR_RETURN(const std::string answer, ReceiveAnswer(socket_.get()));
  const int64_t total = MonotonicNanos() - began;
  if (answer.find(R"("message":"The program exited with code 0.")") == std::string::npos) {
    return absl::InternalError("the gateway's answer: " + answer.substr(0, 1'000));
  }
  return total;
}

}  // namespace caisson::bench
