// The door's certificate and key, and the authority that signs its clients': three files in one directory,
// read at start and on SIGHUP, by a process that may read nothing else.
#ifndef CAISSON_TLS_DOOR_CERTIFICATES_H_
#define CAISSON_TLS_DOOR_CERTIFICATES_H_

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::tls_door {

inline constexpr char kServerCertificate[] = "server.crt";  // PEM, with its chain
inline constexpr char kServerKey[] = "server.key";
inline constexpr char kClientAuthority[] = "clients.crt";  // who signs clients' certificates

// Whether clients show a certificate: all, some, or nobody is asked for one.
enum class ClientCertificate : uint8_t { kRequired, kOptional, kNone };

class Certificates {
 public:
  // Opens `directory`. Nobody but its owner, who is root or us, may be able to write it.
  static absl::StatusOr<Certificates> Open(const std::string& directory, ClientCertificate clients);

  // Reads the files anew; a context for the connections that come from now on. kInvalidArgument if a file
  // has a fault, the key is not the certificate's, or others may read the key.
  absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> Load() const;

  int directory() const { return directory_.get(); }

 private:
  Certificates(UniqueFd directory, ClientCertificate clients)
      : directory_(std::move(directory)), clients_(clients) {}

  UniqueFd directory_;
  ClientCertificate clients_;
};

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_CERTIFICATES_H_
