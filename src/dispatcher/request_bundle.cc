#include "dispatcher/request_bundle.h"

#include <fcntl.h>

#include <cerrno>
#include <map>
#include <utility>

#include "common/status.h"
#include "ipc/bundle_writer.h"

namespace caisson::dispatcher {
namespace {

absl::Status AddEnvironment(const v1::ExecuteRequest& request, ipc::BundleWriter& writer) {
  // Sorted: the same request always gives the same bundle.
  const std::map<std::string, std::string> environment(request.env().begin(), request.env().end());
  for (const auto& [name, value] : environment) {
    RETURN_IF_ERROR(writer.AddEnvironment(name, value));
  }
  return absl::OkStatus();
}

absl::Status AddFiles(const v1::ExecuteRequest& request, const std::string& main_file,
                      ipc::BundleWriter& writer) {
  for (const v1::InputFile& file : request.files()) {
    // The main file is the program, whether a profile executes it itself or hands it to an interpreter.
    const bool executable = file.executable() || file.path() == main_file;
    RETURN_IF_ERROR(writer.AddFile(file.path(), file.content(),
                                   executable ? ipc::FileMode::kExecutable : ipc::FileMode::kRegular));
  }
  return absl::OkStatus();
}

// Everything of the run step's but files.
absl::Status AddRunStep(const v1::ExecuteRequest& request, const std::string& main_file,
                        ipc::BundleWriter& writer) {
  RETURN_IF_ERROR(writer.AddMainFile(main_file));
  for (const std::string& argument : request.args()) {
    RETURN_IF_ERROR(writer.AddArgument(argument));
  }
  RETURN_IF_ERROR(AddEnvironment(request, writer));
  for (const std::string& path : request.output_paths()) {
    RETURN_IF_ERROR(writer.AddOutputPath(path));
  }
  return absl::OkStatus();
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The arguments are the program's, so the compiler does not get them.
absl::Status AddCompileStep(const v1::ExecuteRequest& request, const std::string& main_file,
                            const policy::Profile& profile, ipc::BundleWriter& writer) {
  RETURN_IF_ERROR(writer.AddMainFile(main_file));
  RETURN_IF_ERROR(AddEnvironment(request, writer));
  RETURN_IF_ERROR(writer.AddSource(main_file));
  for (const v1::InputFile& file : request.files()) {
    if (file.path() != main_file && !profile.file_extension.empty() &&
        EndsWith(file.path(), profile.file_extension)) {
      RETURN_IF_ERROR(writer.AddSource(file.path()));
    }
  }
  for (const std::string& path : profile.compile->outputs) {
    RETURN_IF_ERROR(writer.AddOutputPath(path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RequestBundles> MakeBundles(const v1::ExecuteRequest& request, const std::string& main_file,
                                           const policy::Profile& profile) {
  RequestBundles bundles;
  ASSIGN_OR_RETURN(ipc::BundleWriter first, ipc::BundleWriter::Create());
  if (!profile.compile.has_value()) {
    RETURN_IF_ERROR(AddRunStep(request, main_file, first));
    RETURN_IF_ERROR(AddFiles(request, main_file, first));
    ASSIGN_OR_RETURN(bundles.first, first.Seal());
    return bundles;
  }
  RETURN_IF_ERROR(AddCompileStep(request, main_file, profile, first));
  RETURN_IF_ERROR(AddFiles(request, main_file, first));
  std::vector<ipc::BundleFile> inputs = first.files();
  ASSIGN_OR_RETURN(bundles.first, first.Seal());
  UniqueFd input_bundle(fcntl(bundles.first.get(), F_DUPFD_CLOEXEC, 3));
  if (!input_bundle.valid()) {
    return ErrnoStatus(errno, "duplicate the bundle");
  }
  ASSIGN_OR_RETURN(ipc::BundleWriter second, ipc::BundleWriter::Create());
  RETURN_IF_ERROR(AddRunStep(request, main_file, second));
  bundles.second = std::make_unique<RunBundle>(std::move(second), std::move(input_bundle), std::move(inputs),
                                               profile.compile->outputs);
  return bundles;
}

}  // namespace caisson::dispatcher
