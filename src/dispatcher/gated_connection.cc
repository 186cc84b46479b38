#include "dispatcher/gated_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/clock.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kPieceBytes = 64UL * 1024;

// What one read brought; its buffer is the thread's, since every connection is done with it before the next.
struct Piece {
  std::string_view bytes;
  bool ended = false;
};

Piece Read(int fd) {
  static thread_local std::array<char, kPieceBytes> buffer;
  const ssize_t count = read(fd, buffer.data(), buffer.size());
  if (count > 0) {
    return {std::string_view(buffer.data(), static_cast<size_t>(count)), false};
  }
  const bool later = count < 0 && (errno == EAGAIN || errno == EINTR);
  return {{}, !later};
}

// How many bytes went out; -1 if nobody takes any more (SIGPIPE is ignored).
ssize_t Write(int fd, std::string_view bytes) {
  const ssize_t count = write(fd, bytes.data(), bytes.size());
  if (count < 0) {
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
  }
  return count;
}

}  // namespace

GatedConnection::GatedConnection(EventLoop& loop, Keeper& keeper, UniqueFd client, UniqueFd server,
                                 std::string name, std::shared_ptr<const Standing> standing,
                                 int64_t incomplete_ms)
    : loop_(loop),
      keeper_(keeper),
      client_(std::move(client)),
      server_(std::move(server)),
      name_(std::move(name)),
      standing_(std::move(standing)),
      incomplete_ms_(incomplete_ms),
      calls_(MonotonicNanos()),
      active_ns_(MonotonicNanos()) {}

GatedConnection::~GatedConnection() {
  loop_.Unwatch(client_.get());
  loop_.Unwatch(server_.get());
  loop_.Cancel(incomplete_timer_);
}

bool GatedConnection::Start() {
  client_interest_ = server_interest_ = EPOLLIN;
  if (!loop_.Watch(client_.get(), EPOLLIN, [this](uint32_t events) { OnClient(events); }).ok() ||
      !loop_.Watch(server_.get(), EPOLLIN, [this](uint32_t events) { OnServer(events); }).ok()) {
    return false;
  }
  server_watched_ = true;
  SetIncompleteTimer();
  return true;
}

void GatedConnection::End(const char* reason) {
  if (std::exchange(over_, true)) {
    return;
  }
  loop_.Unwatch(client_.get());
  loop_.Unwatch(server_.get());
  loop_.Cancel(std::exchange(incomplete_timer_, 0));
  keeper_.OnOpenCalls(std::exchange(told_calls_, 0), 0);
  keeper_.OnEnd(*this, reason);
}

void GatedConnection::OnClient(uint32_t events) {
  // A client that has hung up reads no answer, so what it sent last is nothing to work for.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    End(nullptr);
    return;
  }
  if ((events & EPOLLIN) != 0) {
    ReadUp();
  }
  MoveDown();
  SetInterest();
}

void GatedConnection::OnServer(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLHUP)) != 0) {
    if (down_.bytes.size() < kPieceBytes) {
      ReadDown();
    } else if ((events & EPOLLHUP) != 0) {
      // It would be told again and again until there is room for what gRPC left.
      loop_.Unwatch(server_.get());
      server_watched_ = false;
    }
  }
  MoveUp();
  SetInterest();
}

void GatedConnection::ReadUp() {
  const Piece piece = Read(client_.get());
  active_ns_ = MonotonicNanos();
  up_.ended = piece.ended;
  up_.bytes.append(piece.bytes);
  up_.passed += LookUp(std::string_view(up_.bytes).substr(up_.passed));
  MoveUp();
}

void GatedConnection::Resume() {
  if (!over_ && std::exchange(waiting_, false)) {
    up_.passed += LookUp(std::string_view(up_.bytes).substr(up_.passed));
    MoveUp();
    SetInterest();
  }
}

void GatedConnection::ReadDown() {
  const Piece piece = Read(server_.get());
  down_.ended = piece.ended;
  down_.bytes.append(piece.bytes);
  down_.passed += LookDown(std::string_view(down_.bytes).substr(down_.passed));
  if (down_.ended) {
    down_.passed = down_.bytes.size();
  }
  MoveDown();
}

void GatedConnection::MoveUp() {
  if (over_) {
    return;
  }
  if (up_.passed > 0) {
    const ssize_t count = Write(server_.get(), std::string_view(up_.bytes).substr(0, up_.passed));
    if (count < 0) {
      up_ = Flow{{}, 0, true};  // gRPC has left; what it still says goes down
      return;
    }
    up_.bytes.erase(0, static_cast<size_t>(count));
    up_.passed -= static_cast<size_t>(count);
  }
  if (up_.ended && up_.passed == 0 && !waiting_) {
    shutdown(server_.get(), SHUT_WR);
  }
}

void GatedConnection::MoveDown() {
  if (over_) {
    return;
  }
  if (down_.passed > 0) {
    const ssize_t count = Write(client_.get(), std::string_view(down_.bytes).substr(0, down_.passed));
    if (count < 0) {
      End(nullptr);
      return;
    }
    down_.bytes.erase(0, static_cast<size_t>(count));
    down_.passed -= static_cast<size_t>(count);
  }
  if (down_.ended && down_.passed == 0) {
    End(nullptr);
  }
}

size_t GatedConnection::LookUp(std::string_view bytes) {
  size_t passed = 0;
  while (!over_) {
    const FrameReader::Next next = client_frames_.Look(bytes.substr(passed));
    if (next.found == FrameReader::Found::kNeedsMore) {
      break;
    }
    if (next.found == FrameReader::Found::kNotHttp2) {
      End("what it sent is not HTTP/2");
      break;
    }
    if (next.found == FrameReader::Found::kBytes) {
      client_frames_.Skip(next.bytes);
      passed += next.bytes;
      continue;
    }
    const CallWatch::Verdict verdict = calls_.OnClient(next.frame, active_ns_);
    if (verdict == CallWatch::Verdict::kHeadersTooLong) {
      End("a header block was too long");
      break;
    }
    if (verdict == CallWatch::Verdict::kTooManyCalls) {
      End("it opened more calls than a connection may");
      break;
    }
    if (verdict == CallWatch::Verdict::kTooManyPings) {
      End("it sent too many pings or settings");
      break;
    }
    if (verdict == CallWatch::Verdict::kNeedsLeave) {
      const Leave leave = keeper_.MayPass(*this, CallWatch::Cost(next.frame));
      if (leave != Leave::kGranted) {
        waiting_ = leave == Leave::kWait;
        break;
      }
      calls_.Pass(next.frame);
    }
    client_frames_.Accept(next.frame);
    passed += next.bytes;
    TellOpenCalls();
  }
  SetIncompleteTimer();
  return passed;
}

size_t GatedConnection::LookDown(std::string_view bytes) {
  size_t passed = 0;
  while (true) {
    const FrameReader::Next next = server_frames_.Look(bytes.substr(passed));
    if (next.found == FrameReader::Found::kFrame) {
      calls_.OnServer(next.frame);
      server_frames_.Accept(next.frame);
    } else if (next.found == FrameReader::Found::kBytes) {
      server_frames_.Skip(next.bytes);
    } else {
      break;
    }
    passed += next.bytes;
  }
  TellOpenCalls();
  return passed;
}

void GatedConnection::TellOpenCalls() {
  if (!over_ && calls_.open_calls() != told_calls_) {
    keeper_.OnOpenCalls(std::exchange(told_calls_, calls_.open_calls()), calls_.open_calls());
  }
}

void GatedConnection::SetIncompleteTimer() {
  const bool incomplete = !over_ && (!client_frames_.preface_seen() || calls_.in_headers());
  if (!incomplete) {
    loop_.Cancel(std::exchange(incomplete_timer_, 0));
  } else if (incomplete_timer_ == 0) {
    incomplete_timer_ = loop_.At(MonotonicNanos() + incomplete_ms_ * kNanosPerMilli, [this] {
      incomplete_timer_ = 0;
      End("a preface or a header block took too long");
    });
  }
}

void GatedConnection::SetInterest() {
  if (over_) {
    return;
  }
  uint32_t client = 0;
  uint32_t server = 0;
  client |= !up_.ended && !waiting_ && up_.bytes.size() < kPieceBytes ? EPOLLIN : 0U;
  client |= down_.passed > 0 ? EPOLLOUT : 0U;
  server |= !down_.ended && down_.bytes.size() < kPieceBytes ? EPOLLIN : 0U;
  server |= up_.passed > 0 ? EPOLLOUT : 0U;
  bool watched = true;
  if (client != std::exchange(client_interest_, client)) {
    watched = loop_.Rewatch(client_.get(), client).ok();
  }
  const bool changed = server != std::exchange(server_interest_, server);
  if (!server_watched_ && (server & EPOLLIN) != 0) {
    server_watched_ = true;
    watched &= loop_.Watch(server_.get(), server, [this](uint32_t events) { OnServer(events); }).ok();
  } else if (server_watched_ && changed) {
    watched &= loop_.Rewatch(server_.get(), server).ok();
  }
  if (!watched) {
    End("the kernel has no room to watch it");
  }
}

}  // namespace caisson::dispatcher
