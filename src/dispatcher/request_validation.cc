#include "dispatcher/request_validation.h"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "common/status.h"
#include "dispatcher/call_names.h"
#include "dispatcher/file_paths.h"
#include "dispatcher/files_room.h"
#include "dispatcher/request_refusals.h"
#include "dispatcher/requested_limits.h"
#include "dispatcher/run_bundle.h"
#include "dispatcher/scheduling/scheduler.h"
#include "dispatcher/tenancy/decision.h"
#include "ipc/bundle_path.h"
#include "ipc/run_streams.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kMaxLabelKeyBytes = 63;
constexpr char kNoMainFile[] = "must be the path of one of the files";
// A hostile request must not make an error larger than the metadata gRPC will carry.
constexpr size_t kMaxReportedViolations = 24;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLetter(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }
bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool IsVariableName(std::string_view name) {
  return !name.empty() && (IsLetter(name[0]) || name[0] == '_') &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsLetter(c) || IsDigit(c) || c == '_'; });
}

bool IsLabelKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxLabelKeyBytes && IsLower(key[0]) &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '_' || c == '.' || c == '-'; });
}

std::string Plural(uint64_t most, const std::string& what) {
  return "at most " + std::to_string(most) + " " + what;
}

class Validator {
 public:
  Validator(const v1::ExecuteRequest& request, uint32_t files_to_follow)
      : request_(request), files_to_follow_(files_to_follow) {}

  void CheckRequestId(RequestIdUse use);
  void CheckSupported();
  void CheckFiles();
  void CheckMainFile();
  void CheckArgs();
  void CheckEnv();
  void CheckOutputPaths();
  void CheckPackages(const CatalogEntry& entry);
  void CheckLabels();
  void CheckPriority();
  void CheckOverflow();
  void CheckLimits(const policy::LimitRange& range, policy::Limits& limits) {
    AppendAll(ResolveRequestedLimits(request_.limits(), range, limits));
  }
  void CheckRoom(const policy::Limits& limits);

  const std::vector<FieldViolation>& unsupported() const { return unsupported_; }
  const std::vector<FieldViolation>& invalid() const { return invalid_; }
  const std::string& main_file() const { return main_file_; }

 private:
  void Invalid(std::string field, std::string description) {
    invalid_.push_back({std::move(field), std::move(description)});
  }
  void AppendAll(std::vector<FieldViolation> violations) {
    std::move(violations.begin(), violations.end(), std::back_inserter(invalid_));
  }
  void Unsupported(bool set, const char* field) {
    if (set) {
      unsupported_.push_back({field, "not supported yet"});
    }
  }
  void CheckUnknownFields(const google::protobuf::Message& message, const std::string& prefix);

  const v1::ExecuteRequest& request_;
  const uint32_t files_to_follow_;
  std::vector<FieldViolation> unsupported_;
  std::vector<FieldViolation> invalid_;
  std::string main_file_;
};

// A newer client's field that this server does not know would otherwise be ignored in silence.
void Validator::CheckUnknownFields(const google::protobuf::Message& message, const std::string& prefix) {
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count() && unsupported_.size() < kMaxReportedViolations; ++i) {
    unsupported_.push_back({prefix + "field " + std::to_string(fields.field(i).number()),
                            "not known to this version of the server"});
  }
}

void Validator::CheckRequestId(RequestIdUse use) {
  const std::string& id = request_.request_id();
  if (use == RequestIdUse::kRefused && !id.empty()) {
    unsupported_.push_back({"request_id", "only CreateRun takes one: the run of this call ends with it"});
  } else if (!IsRequestId(id)) {
    Invalid("request_id", kRequestIdRule);
  }
}

void Validator::CheckSupported() {
  Unsupported(!request_.minimum_isolation().empty(), "minimum_isolation");
  CheckUnknownFields(request_, "");
  CheckUnknownFields(request_.limits(), "limits.");
  for (int i = 0; i < std::min(request_.files_size(), kMaxFiles); ++i) {
    CheckUnknownFields(request_.files(i), "files[" + std::to_string(i) + "].");
  }
}

void Validator::CheckPackages(const CatalogEntry& entry) {
  if (request_.packages_size() > kMaxPackages) {
    Invalid("packages", Plural(kMaxPackages, "names"));
    return;
  }
  std::string offered;
  for (const auto& [name, reason] : entry.libraries) {
    offered += (offered.empty() ? "" : ", ") + name;
  }
  for (int i = 0; i < request_.packages_size(); ++i) {
    if (!entry.libraries.contains(request_.packages(i))) {
      Invalid("packages[" + std::to_string(i) + "]", "the profile " + entry.profile.name + " offers " +
                                                         (offered.empty() ? "no libraries" : offered));
    }
  }
}

void Validator::CheckFiles() {
  if (request_.files().empty() && files_to_follow_ == 0) {
    Invalid("files", "must not be empty");
    return;
  }
  if (request_.files_size() > kMaxFiles) {
    Invalid("files", Plural(kMaxFiles, "files"));
    return;
  }
  if (files_to_follow_ > static_cast<uint32_t>(kMaxFiles - request_.files_size())) {
    Invalid("files_to_follow", Plural(kMaxFiles, "files, with those of the request"));
  }
  std::vector<std::string_view> paths;
  paths.reserve(static_cast<size_t>(request_.files_size()));
  for (const v1::InputFile& file : request_.files()) {
    paths.emplace_back(file.path());
  }
  AppendAll(CheckFilePaths(paths));
}

// Only of files that are otherwise in order: their paths and number are bounded then.
void Validator::CheckRoom(const policy::Limits& limits) {
  if (!invalid_.empty()) {
    return;
  }
  std::vector<FileSize> files;
  files.reserve(static_cast<size_t>(request_.files_size()));
  for (const v1::InputFile& file : request_.files()) {
    files.push_back({file.path(), file.content().size()});
  }
  AppendAll(CheckFilesRoom(files, limits));
}

void Validator::CheckMainFile() {
  if (request_.main_file().empty()) {
    const uint64_t count = static_cast<uint64_t>(request_.files_size()) + files_to_follow_;
    if (count > 1) {
      Invalid("main_file", "must name one of the files when there is more than one");
    } else if (!request_.files().empty()) {
      main_file_ = request_.files(0).path();
    }
    return;
  }
  main_file_ = request_.main_file();
  if (files_to_follow_ != 0) {
    return;  // It may be among those.
  }
  const bool found = std::any_of(request_.files().begin(), request_.files().end(),
                                 [this](const v1::InputFile& file) { return file.path() == main_file_; });
  if (!found) {
    Invalid("main_file", kNoMainFile);
  }
}

void Validator::CheckArgs() {
  if (request_.args_size() > static_cast<int>(wire::kMaxArgs)) {
    Invalid("args", Plural(wire::kMaxArgs, "arguments"));
    return;
  }
  uint64_t bytes = 0;
  for (int i = 0; i < request_.args_size(); ++i) {
    bytes += request_.args(i).size() + 1;
    if (HasNul(request_.args(i))) {
      Invalid("args[" + std::to_string(i) + "]", "must not contain NUL");
    }
  }
  if (bytes > kMaxArgsBytes) {
    Invalid("args", Plural(kMaxArgsBytes, "bytes together"));
  }
}

void Validator::CheckEnv() {
  if (request_.env().size() > wire::kMaxEnv) {
    Invalid("env", Plural(wire::kMaxEnv, "variables"));
    return;
  }
  uint64_t bytes = 0;
  const std::map<std::string, std::string> sorted(request_.env().begin(), request_.env().end());
  for (const auto& [name, value] : sorted) {
    bytes += name.size() + value.size() + 2;
    if (!IsVariableName(name)) {
      Invalid("env[" + Quoted(name) + "]", "names must match [A-Za-z_][A-Za-z0-9_]*");
    } else if (HasNul(value)) {
      Invalid("env[" + Quoted(name) + "]", "must not contain NUL");
    }
  }
  if (bytes > kMaxEnvBytes) {
    Invalid("env", Plural(kMaxEnvBytes, "bytes together"));
  }
}

void Validator::CheckOutputPaths() {
  if (request_.output_paths_size() > static_cast<int>(wire::kMaxOutputPaths)) {
    Invalid("output_paths", Plural(wire::kMaxOutputPaths, "paths"));
    return;
  }
  std::map<std::string_view, int> first_index;
  for (int i = 0; i < request_.output_paths_size(); ++i) {
    const std::string& path = request_.output_paths(i);
    const std::string field = "output_paths[" + std::to_string(i) + "]";
    const absl::Status status = path == "." ? absl::OkStatus() : ipc::CheckBundlePath(path);
    if (!status.ok()) {
      Invalid(field, Message(status));
    } else if (const auto [earlier, inserted] = first_index.emplace(path, i); !inserted) {
      Invalid(field, "is the same as output_paths[" + std::to_string(earlier->second) + "]");
    }
  }
}

void Validator::CheckLabels() {
  if (request_.labels().size() > kMaxLabels) {
    Invalid("labels", Plural(kMaxLabels, "labels"));
    return;
  }
  const std::map<std::string, std::string> sorted(request_.labels().begin(), request_.labels().end());
  for (const auto& [key, value] : sorted) {
    if (!IsLabelKey(key)) {
      Invalid("labels[" + Quoted(key) + "]", "keys must match [a-z][a-z0-9_.-]{0,62}");
    } else if (value.size() > kMaxLabelValueBytes) {
      Invalid("labels[" + Quoted(key) + "]", "values have " + Plural(kMaxLabelValueBytes, "bytes"));
    }
  }
}

void Validator::CheckPriority() {
  if (request_.priority() < -kMostPriority || request_.priority() > kMostPriority) {
    Invalid("priority",
            "must be from -" + std::to_string(kMostPriority) + " to " + std::to_string(kMostPriority));
  }
}

void Validator::CheckOverflow() {
  if (!v1::OutputOverflow_IsValid(request_.output_overflow())) {
    Invalid("output_overflow", "is not a known value");
  }
}

std::vector<FieldViolation> Reported(std::vector<FieldViolation> violations) {
  if (violations.size() > kMaxReportedViolations) {
    const size_t left_out = violations.size() - kMaxReportedViolations;
    violations.resize(kMaxReportedViolations);
    violations.push_back({"request", std::to_string(left_out) + " more violations are left out"});
  }
  return violations;
}

}  // namespace

grpc::Status ValidateExecute(const v1::ExecuteRequest& request, const ProfileCatalog& catalog,
                             uint64_t memory_budget_bytes, ValidRequest& valid, uint32_t files_to_follow,
                             const policy::TenantPolicy* policy, RequestIdUse request_id) {
  if (request.ByteSizeLong() > kMaxRequestBytes) {
    return Refuse(Reason::kRequestTooLarge,
                  "the request has more than " + std::to_string(kMaxRequestBytes) + " bytes",
                  {{"limit_bytes", std::to_string(kMaxRequestBytes)}});
  }
  if (request.profile().empty()) {
    return RefuseFields(Reason::kInvalidRequest, {{"profile", "must not be empty"}});
  }
  const CatalogEntry* entry = catalog.Find(request.profile());
  if (entry == nullptr) {
    return RefuseUnknownProfile(request.profile(), catalog);
  }
  if (policy != nullptr && !policy->AllowsProfile(entry->profile.name)) {
    return RefuseByPolicy(*policy, policy::Judge(*policy, entry->profile.name, {}), entry->profile.name);
  }
  if (!entry->unavailable_reason.empty()) {
    return Refuse(Reason::kProfileUnavailable,
                  "profile " + entry->profile.name + ": " + entry->unavailable_reason,
                  {{"profile", entry->profile.name}, {"package", entry->profile.toolchain_package}});
  }
  Validator validator(request, files_to_follow);
  validator.CheckRequestId(request_id);
  validator.CheckSupported();
  validator.CheckFiles();
  validator.CheckMainFile();
  validator.CheckArgs();
  validator.CheckEnv();
  validator.CheckOutputPaths();
  validator.CheckPackages(*entry);
  validator.CheckLabels();
  validator.CheckPriority();
  validator.CheckOverflow();
  // What nobody asked for comes down to the tenant's ceilings; what was asked for is judged below.
  policy::LimitRange range = entry->profile.run.limits;
  if (policy != nullptr) {
    range.defaults = policy->Within(range).defaults;
  }
  validator.CheckLimits(range, valid.limits);
  validator.CheckRoom(valid.limits);
  if (!validator.unsupported().empty()) {
    std::vector<FieldViolation> all = validator.unsupported();
    all.insert(all.end(), validator.invalid().begin(), validator.invalid().end());
    return RefuseFields(Reason::kFieldNotSupported, Reported(std::move(all)));
  }
  if (!validator.invalid().empty()) {
    return RefuseFields(Reason::kInvalidRequest, Reported(validator.invalid()));
  }
  if (grpc::Status missing = RefuseMissingLibrary(request, *entry); !missing.ok()) {
    return missing;
  }
  if (policy != nullptr) {
    const policy::PolicyVerdict verdict =
        policy::Judge(*policy, entry->profile.name, AskedLimits(request.limits()));
    if (!verdict.allowed) {
      return RefuseByPolicy(*policy, verdict, entry->profile.name);
    }
  }
  valid.entry = entry;
  valid.memory_bytes =
      std::max(valid.limits.Get(policy::LimitId::kMemoryBytes), CompileMemory(entry->profile));
  valid.bundle_bytes = entry->profile.compile.has_value() ? RunBundle::kMaxArtefactBytes : 0;
  if (grpc::Status refusal = CheckHost(valid, memory_budget_bytes); !refusal.ok()) {
    return refusal;
  }
  valid.overflow = request.output_overflow() == v1::OUTPUT_OVERFLOW_KILL ? OutputOverflow::kKill
                                                                         : OutputOverflow::kTruncate;
  valid.main_file = validator.main_file();
  valid.labels.insert(request.labels().begin(), request.labels().end());
  return grpc::Status::OK;
}

grpc::Status CheckUploaded(const v1::ExecuteRequest& request, const std::vector<FileSize>& files,
                           uint64_t memory_budget_bytes, ValidRequest& valid) {
  if (request.main_file().empty()) {
    CAISSON_CHECK(files.size() == 1);
    valid.main_file = files.front().path;
  } else if (std::none_of(files.begin(), files.end(),
                          [&](const FileSize& file) { return file.path == request.main_file(); })) {
    return RefuseFields(Reason::kInvalidRequest, {{"main_file", kNoMainFile}});
  }
  if (std::vector<FieldViolation> lacking = CheckFilesRoom(files, valid.limits); !lacking.empty()) {
    return RefuseFields(Reason::kInvalidRequest, lacking);
  }
  for (const FileSize& file : files) {
    valid.bundle_bytes += file.bytes;
  }
  return CheckHost(valid, memory_budget_bytes);
}

}  // namespace caisson::dispatcher
