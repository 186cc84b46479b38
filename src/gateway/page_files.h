// The playground's files: read once, before the lockdown leaves no file to read, and served from memory.
// Trusted: the directory, which the operator names. Untrusted: the paths that clients ask for.
#ifndef CAISSON_GATEWAY_PAGE_FILES_H_
#define CAISSON_GATEWAY_PAGE_FILES_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::gateway {

class PageFiles {
 public:
  struct File {
    const char* content_type;
    const char* cache_control;
    std::string body;
  };

  // No files: there is no page.
  PageFiles() = default;

  // Every file below `directory`, at most 256 and 32 MiB, of the kinds that a page is made of; an index.html
  // must be there. Runs as the gateway's own user, so that it shows nothing that this user cannot read.
  // Links, other kinds and names with other characters than [A-Za-z0-9_.-] are errors: a directory that has
  // them is not the playground.
  static absl::StatusOr<PageFiles> Load(const std::string& directory);

  // What the target of a GET names, without its query; "/" is index.html. Null where there is nothing.
  const File* Find(std::string_view target) const;

 private:
  std::map<std::string, File, std::less<>> files_;  // by path: "/assets/index-1a2b3c.js"
};

// What the page may load and do: only what this gateway serves. Style attributes are allowed to scripts of
// the page, since its terminal sets colours by them; style elements and scripts in the markup are not.
inline constexpr char kPagePolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src "
    "'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PAGE_FILES_H_
