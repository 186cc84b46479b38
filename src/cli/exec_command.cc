#include "cli/exec_command.h"

#include <filesystem>
#include <utility>

#include "cli/exit_code.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

// What -c says lies in the sandbox as this file, and runs under this profile unless another is named.
constexpr char kCommandsFile[] = ".caisson-exec.sh";
constexpr char kCommandsProfile[] = "bash";

}  // namespace

std::string CompleteExec(std::vector<std::string> words, ExecOptions& options) {
  RunOptions& run = options.run;
  if (options.has_commands) {
    if (run.script.empty()) {
      return "-c needs at least one command";
    }
    run.main_file = kCommandsFile;
    run.profile = run.profile.empty() ? kCommandsProfile : run.profile;
    run.args = std::move(words);
  } else if (words.empty() && !options.list_files) {
    return "FILE is missing, or -c";
  } else if (!words.empty()) {
    const std::filesystem::path script = std::filesystem::path(words.front()).lexically_normal();
    if (script.is_absolute() || script.empty() || *script.begin() == "..") {
      return "FILE is a path in the directory that is sent, not " + Printable(words.front());
    }
    run.main_file = script.string();
    run.args.assign(words.begin() + 1, words.end());
  }
  // A CI job's standard input may be a pipe that nobody writes to or closes.
  run.no_stdin = !run.interactive && !run.tty;
  if (run.outputs_directory.empty() && !run.output_paths.empty() && !run.json) {
    run.outputs_directory = run.source_directory;
  }
  return "";
}

int ListFilesCommand(const ExecOptions& options) {
  const absl::StatusOr<std::vector<SourceFile>> sources = ReadSources(options.run.source_directory);
  if (!sources.ok()) {
    Complain(Printable(Message(sources.status())));
    return absl::IsInvalidArgument(sources.status()) ? kExitUsage : kExitService;
  }
  std::string text;
  for (const SourceFile& source : *sources) {
    text += Printable(source.path) + "\n";
  }
  return Print(text);
}

}  // namespace caisson::cli
