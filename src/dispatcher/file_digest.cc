#include "dispatcher/file_digest.h"

#include <openssl/evp.h>

#include <array>
#include <string_view>

#include "common/status.h"

namespace caisson::dispatcher {

// OpenSSL's calls for SHA-256 fail without memory only.
FileDigest::FileDigest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  CAISSON_CHECK(context_ != nullptr);
  Begin();
}

void FileDigest::Begin() { CAISSON_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1); }

void FileDigest::Add(std::span<const std::byte> bytes) {
  CAISSON_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string FileDigest::Finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  CAISSON_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
  Begin();
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "sha256:";
  for (const unsigned char byte : std::span(digest).first(size)) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 0xfU];
  }
  return text;
}

}  // namespace caisson::dispatcher
