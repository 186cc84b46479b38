// One line on standard error for somebody who waits, shown only where a person looks at it.
#ifndef CAISSON_CLI_STATUS_LINE_H_
#define CAISSON_CLI_STATUS_LINE_H_

#include <string>

namespace caisson::cli {

// Not thread-safe. While it is shown, nothing else may be written to the terminal.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { Clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // Puts `text` in the place of what was shown before.
  void Show(const std::string& text);
  void Clear();

 private:
  const bool wanted_;  // standard error is a terminal
  bool shown_ = false;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_STATUS_LINE_H_
