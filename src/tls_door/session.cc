#include "tls_door/session.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

#include "common/status.h"

namespace caisson::tls_door {
namespace {

namespace asio = boost::asio;

// How long the client may take to hear that the daemon has said all.
constexpr std::chrono::milliseconds kGoodbye{1'000};

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

bool SpeaksHttp2(const SSL* connection) {
  const unsigned char* chosen = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(connection, &chosen, &length);
  return std::string_view(reinterpret_cast<const char*>(chosen), length) == "h2";
}

}  // namespace

Session::Session(asio::ip::tcp::socket client, std::shared_ptr<asio::ssl::context> context,
                 const SessionTimes& times, Dial dial, OnEnd on_end)
    : context_(std::move(context)),
      client_(std::move(client), *context_),
      daemon_(client_.get_executor()),
      timer_(client_.get_executor()),
      times_(times),
      dial_(std::move(dial)),
      on_end_(std::move(on_end)) {}

void Session::Start() {
  up_.moved = down_.moved = std::chrono::steady_clock::now();
  timer_.expires_after(times_.handshake);
  timer_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error) {
      self->End("the handshake did not come to its end in time");
    }
  });
  client_.async_handshake(asio::ssl::stream_base::server,
                          [self = shared_from_this()](const Error& error) { self->OnHandshake(error); });
}

void Session::OnHandshake(const Error& error) {
  if (ended_) {
    return;
  }
  if (error) {
    return End("the handshake failed: " + error.message());
  }
  if (!SpeaksHttp2(client_.native_handle())) {
    return End("it does not speak HTTP/2 (ALPN h2)");
  }
  const std::unique_ptr<X509, FreeCertificate> certificate(
      SSL_get1_peer_certificate(client_.native_handle()));
  if (certificate != nullptr && SSL_get_verify_result(client_.native_handle()) != X509_V_OK) {
    return End("its certificate was not verified");
  }
  absl::StatusOr<UniqueFd> daemon = dial_(certificate.get());
  if (!daemon.ok()) {
    return End(Message(daemon.status()));
  }
  Error failed;
  daemon_.assign(asio::local::stream_protocol(), daemon->get(), failed);
  if (failed) {
    return End("no memory for the connection to the daemon");
  }
  static_cast<void>(daemon->release());
  up_.moved = down_.moved = std::chrono::steady_clock::now();
  Watch(std::min(times_.idle, times_.write));
  FromClient();
  FromDaemon();
}

// One timer that looks at both ways, instead of one that is set anew for each piece.
void Session::Watch(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](const Error& error) {
    if (error || self->ended_) {
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    const auto idle = now - self->moved();
    auto stuck = std::chrono::steady_clock::duration::zero();
    for (const Way* way : {&self->up_, &self->down_}) {
      stuck = std::max(stuck, way->writing ? now - way->moved : stuck);
    }
    if (stuck >= self->times_.write) {
      return self->End("a peer did not read");
    }
    if (idle >= self->times_.idle) {
      return self->End("it was idle");
    }
    const auto left =
        std::min<std::chrono::steady_clock::duration>(self->times_.write - stuck, self->times_.idle - idle);
    self->Watch(std::chrono::ceil<std::chrono::milliseconds>(left));
  });
}

void Session::FromClient() {
  client_.async_read_some(asio::buffer(up_.buffer),
                          [self = shared_from_this()](const Error& error, size_t size) {
                            if (error || self->ended_) {
                              return self->End("");
                            }
                            self->up_.moved = std::chrono::steady_clock::now();
                            self->up_.writing = true;
                            asio::async_write(self->daemon_, asio::buffer(self->up_.buffer, size),
                                              [self](const Error& failed, size_t) {
                                                if (failed || self->ended_) {
                                                  return self->End("");
                                                }
                                                self->up_.writing = false;
                                                self->FromClient();
                                              });
                          });
}

void Session::FromDaemon() {
  daemon_.async_read_some(asio::buffer(down_.buffer),
                          [self = shared_from_this()](const Error& error, size_t size) {
                            if (self->ended_) {
                              return;
                            }
                            if (error) {
                              return self->CloseTls();
                            }
                            self->down_.moved = std::chrono::steady_clock::now();
                            self->down_.writing = true;
                            asio::async_write(self->client_, asio::buffer(self->down_.buffer, size),
                                              [self](const Error& failed, size_t) {
                                                if (failed || self->ended_) {
                                                  return self->End("");
                                                }
                                                self->down_.writing = false;
                                                self->FromDaemon();
                                              });
                          });
}

// Tells the client that this is all, and not that it was cut.
void Session::CloseTls() {
  timer_.expires_after(kGoodbye);
  timer_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error) {
      self->End("");
    }
  });
  client_.async_shutdown([self = shared_from_this()](const Error& /*error*/) { self->End(""); });
}

void Session::End(const std::string& reason) {
  if (ended_) {
    return;
  }
  ended_ = true;
  Error ignored;
  timer_.cancel(ignored);
  client_.lowest_layer().close(ignored);
  daemon_.close(ignored);
  // ORDER: last, since whoever is told may let go of this.
  const OnEnd on_end = std::move(on_end_);
  on_end(reason);
}

}  // namespace caisson::tls_door
