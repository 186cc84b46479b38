// Policy texts from root's files, and across the boundary. Run by caissond as root on root's files; by the
// dispatcher on what caissond packed; by caisson on what its user names.
#include <nlohmann/json.hpp>
#include <utility>

#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/json_document.h"
#include "policy/json_files.h"
#include "policy/tenant_policy.h"
#include "policy/trusted_file.h"

namespace caisson::policy {
namespace {

constexpr char kSchemaFile[] = "schema.json";
constexpr size_t kJsonSuffixBytes = 5;

}  // namespace

absl::StatusOr<std::vector<PolicyText>> ReadPolicyTexts(const std::string& directory, FileTrust trust) {
  ASSIGN_OR_RETURN(const UniqueFd opened, OpenTrustedDirectory(directory, trust));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListJsonFiles(opened, directory));
  std::vector<std::string> complaints;
  std::vector<PolicyText> texts;
  size_t bytes = 0;
  for (const std::string& name : names) {
    if (name == kSchemaFile) {
      continue;
    }
    const std::string shown = std::string(directory).append("/").append(name);
    absl::StatusOr<std::string> text = ReadTrustedFile(opened.get(), name, shown, trust);
    if (!text.ok()) {
      complaints.push_back(Message(text.status()));
      continue;
    }
    bytes += text->size();
    texts.push_back({name.substr(0, name.size() - kJsonSuffixBytes), shown, *std::move(text)});
  }
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  // Quoting can double what is packed.
  if (bytes > kMostPackedPolicyBytes / 4) {
    return absl::InvalidArgumentError(Complaint(directory, 1, "directory", "the policies are too large"));
  }
  return texts;
}

std::string PackPolicyTexts(const std::vector<PolicyText>& texts) {
  nlohmann::json files = nlohmann::json::array();
  for (const PolicyText& text : texts) {
    files.push_back({text.name, text.file, text.text});
  }
  // Bytes that are no UTF-8 were refused when the text was parsed.
  return files.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::StatusOr<std::vector<PolicyText>> UnpackPolicyTexts(std::string_view packed) {
  const nlohmann::json files = nlohmann::json::parse(packed, nullptr, false);
  if (!files.is_array()) {
    return absl::InvalidArgumentError("policies: not what caissond packs");
  }
  std::vector<PolicyText> texts;
  for (const nlohmann::json& file : files) {
    if (!file.is_array() || file.size() != 3 || !file[0].is_string() || !file[1].is_string() ||
        !file[2].is_string()) {
      return absl::InvalidArgumentError("policies: not what caissond packs");
    }
    texts.push_back({file[0].get<std::string>(), file[1].get<std::string>(), file[2].get<std::string>()});
  }
  return texts;
}

}  // namespace caisson::policy
