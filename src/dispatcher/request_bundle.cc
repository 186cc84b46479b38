#include "dispatcher/request_bundle.h"

#include <fcntl.h>

#include <cerrno>
#include <map>
#include <utility>
#include <vector>

#include "common/status.h"

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

}  // namespace

absl::StatusOr<RequestBundleWriter> RequestBundleWriter::Create(const policy::Profile& profile,
                                                                std::string main_file) {
  ASSIGN_OR_RETURN(ipc::BundleWriter writer, ipc::BundleWriter::Create());
  return RequestBundleWriter(std::move(writer), profile, std::move(main_file));
}

// The main file is the program, whether a profile executes it itself or hands it to an interpreter.
ipc::FileMode RequestBundleWriter::ModeOf(std::string_view path, bool executable) const {
  return executable || main_file_.empty() || path == main_file_ ? ipc::FileMode::kExecutable
                                                                : ipc::FileMode::kRegular;
}

absl::Status RequestBundleWriter::AddFiles(const v1::ExecuteRequest& request) {
  for (const v1::InputFile& file : request.files()) {
    RETURN_IF_ERROR(writer_.AddFile(file.path(), file.content(), ModeOf(file.path(), file.executable())));
  }
  return absl::OkStatus();
}

// The arguments are the program's, so the compiler does not get them.
absl::Status RequestBundleWriter::AddCompileStep(const v1::ExecuteRequest& request) {
  RETURN_IF_ERROR(writer_.AddMainFile(main_file_));
  RETURN_IF_ERROR(AddEnvironment(request, writer_));
  RETURN_IF_ERROR(writer_.AddSource(main_file_));
  for (const ipc::BundleFile& file : writer_.files()) {
    if (file.path != main_file_ && !profile_->file_extension.empty() &&
        EndsWith(file.path, profile_->file_extension)) {
      RETURN_IF_ERROR(writer_.AddSource(file.path));
    }
  }
  for (const std::string& path : profile_->compile->outputs) {
    RETURN_IF_ERROR(writer_.AddOutputPath(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<RequestBundles> RequestBundleWriter::Finish(const v1::ExecuteRequest& request) {
  if (main_file_.empty()) {
    CAISSON_CHECK(writer_.files().size() == 1);
    main_file_ = writer_.files().front().path;
  }
  RequestBundles bundles;
  if (!profile_->compile.has_value()) {
    RETURN_IF_ERROR(AddRunStep(request, main_file_, writer_));
    ASSIGN_OR_RETURN(bundles.first, writer_.Seal());
    return bundles;
  }
  RETURN_IF_ERROR(AddCompileStep(request));
  std::vector<ipc::BundleFile> inputs = writer_.files();
  ASSIGN_OR_RETURN(bundles.first, writer_.Seal());
  UniqueFd input_bundle(fcntl(bundles.first.get(), F_DUPFD_CLOEXEC, 3));
  if (!input_bundle.valid()) {
    return ErrnoStatus(errno, "duplicate the bundle");
  }
  ASSIGN_OR_RETURN(ipc::BundleWriter second, ipc::BundleWriter::Create());
  RETURN_IF_ERROR(AddRunStep(request, main_file_, second));
  bundles.second = std::make_unique<RunBundle>(std::move(second), std::move(input_bundle), std::move(inputs),
                                               profile_->compile->outputs);
  return bundles;
}

absl::StatusOr<RequestBundles> MakeBundles(const v1::ExecuteRequest& request, const std::string& main_file,
                                           const policy::Profile& profile) {
  ASSIGN_OR_RETURN(RequestBundleWriter writer, RequestBundleWriter::Create(profile, main_file));
  RETURN_IF_ERROR(writer.AddFiles(request));
  return writer.Finish(request);
}

}  // namespace caisson::dispatcher
