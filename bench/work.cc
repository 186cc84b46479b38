#include "bench/work.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "common/status.h"

namespace caisson::bench {
namespace {

constexpr char kTrue[] = "/usr/bin/true";
constexpr char kEnv[] = "/usr/bin/env";
constexpr char kPython[] = "/usr/bin/python3";
constexpr char kHello[] = "print(\"hello\")\n";
constexpr char kPrintEnvironment[] =
    "import os\nfor item in os.environ.items():\n    print(*item, sep='=')\n";

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return ErrnoStatus(errno, "read " + path);
  }
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

absl::Status WriteFile(const std::string& path, const std::string& content, mode_t mode) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file || chmod(path.c_str(), mode) != 0) {
    return ErrnoStatus(errno, "write " + path);
  }
  return absl::OkStatus();
}

v1::ExecuteRequest PythonRequest(const std::string& program) {
  v1::ExecuteRequest request;
  request.set_profile("python");
  v1::InputFile* file = request.add_files();
  file->set_path("main.py");
  file->set_content(program);
  return request;
}

// The lines that a run of `request`, which prints its environment, has written.
absl::StatusOr<std::vector<std::string>> AskEnvironment(ExecuteClient& client,
                                                        const v1::ExecuteRequest& request) {
  ASSIGN_OR_RETURN(const CallOutcome outcome, client.Execute(request));
  std::vector<std::string> environment;
  std::istringstream lines(outcome.stdout_text);
  for (std::string line; std::getline(lines, line);) {
    environment.push_back(line);
  }
  return environment;
}

absl::StatusOr<Work> MakeTrue(ExecuteClient& client, const std::string& directory) {
  Work work;
  work.name = "true (native)";
  ASSIGN_OR_RETURN(work.request, NativeRequest(kTrue));
  ASSIGN_OR_RETURN(const v1::ExecuteRequest print_environment, NativeRequest(kEnv));
  ASSIGN_OR_RETURN(work.command.environment, AskEnvironment(client, print_environment));
  work.command.executable = directory + "/program";
  work.command.argv = {"/box/program"};
  work.command.directory = directory;
  RETURN_IF_ERROR(WriteFile(work.command.executable, work.request.files(0).content(), 0755));
  return work;
}

absl::StatusOr<Work> MakeHello(ExecuteClient& client, const std::string& directory) {
  Work work;
  work.name = "hello (python)";
  work.request = PythonRequest(kHello);
  work.expected_stdout = "hello\n";
  ASSIGN_OR_RETURN(work.command.environment, AskEnvironment(client, PythonRequest(kPrintEnvironment)));
  const std::string main_file = directory + "/main.py";
  work.command.executable = kPython;
  work.command.argv = {kPython, main_file};
  work.command.directory = directory;
  RETURN_IF_ERROR(WriteFile(main_file, kHello, 0644));
  return work;
}

absl::Status CheckOutput(const Work& work, const std::string& output, const std::string& side) {
  if (output == work.expected_stdout) {
    return absl::OkStatus();
  }
  return absl::InternalError(side + " " + work.name + ": its output is not the expected one");
}

}  // namespace

absl::StatusOr<TemporaryDirectory> TemporaryDirectory::Make() {
  std::error_code error;
  std::string path = (std::filesystem::temp_directory_path(error) / "caisson-bench-XXXXXX").string();
  if (error || mkdtemp(path.data()) == nullptr) {
    return ErrnoStatus(error ? error.value() : errno, "make temporary directory");
  }
  return TemporaryDirectory(path);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty()) {
    std::error_code error;  // what is left in a temporary directory is not worth failing for
    std::filesystem::remove_all(path_, error);
  }
}

absl::StatusOr<v1::ExecuteRequest> NativeRequest(const std::string& path) {
  v1::ExecuteRequest request;
  request.set_profile("native");
  v1::InputFile* file = request.add_files();
  file->set_path("program");
  file->set_executable(true);
  ASSIGN_OR_RETURN(*file->mutable_content(), ReadFile(path));
  return request;
}

absl::StatusOr<std::vector<Work>> MakeWorks(ExecuteClient& client, const std::string& directory) {
  std::vector<Work> works;
  ASSIGN_OR_RETURN(Work true_work, MakeTrue(client, directory));
  works.push_back(std::move(true_work));
  ASSIGN_OR_RETURN(Work hello_work, MakeHello(client, directory));
  works.push_back(std::move(hello_work));
  return works;
}

absl::StatusOr<CallOutcome> RunCall(ExecuteClient& client, const Work& work) {
  ASSIGN_OR_RETURN(CallOutcome outcome, client.Execute(work.request));
  RETURN_IF_ERROR(CheckOutput(work, outcome.stdout_text, "call"));
  return outcome;
}

absl::StatusOr<BareOutcome> RunCommand(const Work& work) {
  ASSIGN_OR_RETURN(BareOutcome outcome, RunBare(work.command));
  RETURN_IF_ERROR(CheckOutput(work, outcome.stdout_text, "command"));
  return outcome;
}

}  // namespace caisson::bench
