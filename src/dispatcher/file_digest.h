// SHA-256 of content that comes in pieces.
#ifndef CAISSON_DISPATCHER_FILE_DIGEST_H_
#define CAISSON_DISPATCHER_FILE_DIGEST_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace caisson::dispatcher {

class FileDigest {
 public:
  FileDigest();

  void Add(std::span<const std::byte> bytes);
  // "sha256:" and 64 hex digits; the next Add begins a new digest.
  std::string Finish();

 private:
  void Begin();

  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FILE_DIGEST_H_
