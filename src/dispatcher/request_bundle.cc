#include "dispatcher/request_bundle.h"

#include <map>

#include "common/status.h"
#include "ipc/bundle_writer.h"

namespace caisson::dispatcher {

absl::StatusOr<UniqueFd> SealBundle(const v1::ExecuteRequest& request, const std::string& main_file) {
  ASSIGN_OR_RETURN(ipc::BundleWriter writer, ipc::BundleWriter::Create());
  RETURN_IF_ERROR(writer.AddMainFile(main_file));
  for (const std::string& argument : request.args()) {
    RETURN_IF_ERROR(writer.AddArgument(argument));
  }
  // Sorted: the same request always gives the same bundle.
  const std::map<std::string, std::string> environment(request.env().begin(), request.env().end());
  for (const auto& [name, value] : environment) {
    RETURN_IF_ERROR(writer.AddEnvironment(name, value));
  }
  for (const v1::InputFile& file : request.files()) {
    // The main file is the program, whether a profile executes it itself or hands it to an interpreter.
    const bool executable = file.executable() || file.path() == main_file;
    RETURN_IF_ERROR(writer.AddFile(file.path(), file.content(),
                                   executable ? ipc::FileMode::kExecutable : ipc::FileMode::kRegular));
  }
  for (const std::string& path : request.output_paths()) {
    RETURN_IF_ERROR(writer.AddOutputPath(path));
  }
  return writer.Seal();
}

}  // namespace caisson::dispatcher
