#include "tls_door/certificates.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <string_view>
#include <utility>

#include "common/files.h"
#include "common/status.h"

namespace caisson::tls_door {
namespace {

namespace ssl = boost::asio::ssl;

constexpr size_t kMostFileBytes = size_t{1} << 20U;
constexpr unsigned char kHttp2[] = {2, 'h', '2'};
// A client's chain: its own certificate, and so many authorities above it.
constexpr int kMostChain = 4;

absl::Status Refuse(const std::string& what, const std::string& reason) {
  return absl::InvalidArgumentError(what + ": " + reason);
}

// Ours or root's, and writable by nobody else. `secret`: nor readable, but by the group that is ours.
absl::Status CheckMode(int fd, const std::string& name, bool secret) {
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return Refuse(name, Message(ErrnoStatus(errno, "stat")));
  }
  if (info.st_uid != 0 && info.st_uid != geteuid()) {
    return Refuse(name, "must be root's");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Refuse(name, "others may write it: chmod go-w");
  }
  if (secret && (info.st_mode & S_IROTH) != 0) {
    return Refuse(name, "others may read it: chmod o-r");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Read(int directory, const std::string& name, bool secret) {
  const UniqueFd file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    return ErrnoStatus(errno, "open " + name);
  }
  RETURN_IF_ERROR(CheckMode(file.get(), name, secret));
  return ReadOpenFile(file.get(), name, kMostFileBytes);
}

// The alternative would be a connection in a protocol that the daemon does not speak.
int ChooseHttp2(SSL* /*connection*/, const unsigned char** out, unsigned char* out_length,
                const unsigned char* in, unsigned int in_length, void* /*unused*/) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kHttp2, sizeof kHttp2, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

absl::Status SetUp(SSL_CTX* context) {
  // Nothing is resumed: each connection shows its certificate, and what was reloaded holds at once.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, &ChooseHttp2, nullptr);
  if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_num_tickets(context, 0) != 1 || SSL_CTX_set_max_early_data(context, 0) != 1) {
    return absl::InternalError("set up TLS");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Certificates> Certificates::Open(const std::string& directory, ClientCertificate clients) {
  ASSIGN_OR_RETURN(UniqueFd opened, OpenFile(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  RETURN_IF_ERROR(CheckMode(opened.get(), directory, false));
  return Certificates(std::move(opened), clients);
}

absl::StatusOr<std::shared_ptr<ssl::context>> Certificates::Load() const {
  ASSIGN_OR_RETURN(const std::string certificate, Read(directory_.get(), kServerCertificate, false));
  ASSIGN_OR_RETURN(std::string key, Read(directory_.get(), kServerKey, true));
  std::string authority;
  if (clients_ != ClientCertificate::kNone) {
    ASSIGN_OR_RETURN(authority, Read(directory_.get(), kClientAuthority, false));
  }
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  RETURN_IF_ERROR(SetUp(context->native_handle()));
  boost::system::error_code error;
  context->use_certificate_chain(boost::asio::buffer(certificate), error);
  if (error) {
    return Refuse(kServerCertificate, "is no certificate: " + error.message());
  }
  context->use_private_key(boost::asio::buffer(key), ssl::context::pem, error);
  OPENSSL_cleanse(key.data(), key.size());
  if (error || SSL_CTX_check_private_key(context->native_handle()) != 1) {
    ERR_clear_error();
    return Refuse(kServerKey, "is no key, or not that of the certificate");
  }
  if (clients_ == ClientCertificate::kNone) {
    context->set_verify_mode(ssl::verify_none);
    return context;
  }
  context->add_certificate_authority(boost::asio::buffer(authority), error);
  if (error) {
    return Refuse(kClientAuthority, "is no certificate: " + error.message());
  }
  SSL_CTX_set_verify_depth(context->native_handle(), kMostChain);
  if (SSL_CTX_set_purpose(context->native_handle(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return absl::InternalError("set up TLS");
  }
  context->set_verify_mode(
      ssl::verify_peer |
      (clients_ == ClientCertificate::kRequired ? ssl::verify_fail_if_no_peer_cert : ssl::verify_none));
  return context;
}

}  // namespace caisson::tls_door
