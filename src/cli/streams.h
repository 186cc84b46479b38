// What `caisson` itself has to say: results on standard output, everything else on standard error.
#ifndef CAISSON_CLI_STREAMS_H_
#define CAISSON_CLI_STREAMS_H_

#include <string>
#include <string_view>

namespace caisson::cli {

// Writes all of `data`; 0, or the errno that stopped it.
int WriteAll(int fd, std::string_view data);

// Writes "caisson: LINE" to standard error.
void Complain(const std::string& line);

// Writes a command's result to standard output. Returns kExitOk, or kExitService with a line that says why it
// could not be written. Where nobody reads any longer (| head), SIGPIPE ends this program, as it ends others.
int Print(std::string_view text);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_STREAMS_H_
