// What .caissonignore leaves out of a directory that `caisson exec` sends, by the rules of gitignore(5): one
// pattern a line, `#` comments, `!` takes back, a slash at the end means directories only, a slash elsewhere
// ties the pattern to the top, `**` is any number of directories. Pure; the file is the user's own.
#ifndef CAISSON_CLI_IGNORE_RULES_H_
#define CAISSON_CLI_IGNORE_RULES_H_

#include <string>
#include <string_view>
#include <vector>

namespace caisson::cli {

class IgnoreRules {
 public:
  enum class Kind : bool { kFile, kDirectory };

  // `.git` is left out before the first line; a line `!.git/` takes that back.
  explicit IgnoreRules(std::string_view text);

  // Whether the last pattern that matches `path` leaves it out. `path` is relative to the top, without a
  // slash at its end. What lies in a directory that is left out is never asked for.
  bool Ignores(std::string_view path, Kind kind) const;

 private:
  struct Rule {
    std::vector<std::string> components;  // "**" stands for any number of them
    bool takes_back = false;
    bool directories_only = false;
  };

  void Add(std::string_view line);

  std::vector<Rule> rules_;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_IGNORE_RULES_H_
