// What the policy tests share: a directory of profiles of their own, and the profiles that ship.
#ifndef CAISSON_TESTS_UNIT_POLICY_POLICY_SUPPORT_H_
#define CAISSON_TESTS_UNIT_POLICY_POLICY_SUPPORT_H_

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "common/status.h"
#include "policy/profile_loader.h"

namespace caisson::policy {

// A fresh directory, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "caisson-policy-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }

  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return file;
  }

 private:
  std::string path_;
};

// The profiles that ship, whoever owns the checkout.
inline ProfileSet ShippedProfiles() {
  absl::StatusOr<ProfileSet> profiles = LoadProfiles(CAISSON_PROFILES_DIR, FileTrust::kAnyOwner);
  EXPECT_TRUE(profiles.ok()) << Message(profiles.status());
  return profiles.ok() ? *std::move(profiles) : ProfileSet();
}

// The complaints that loading DIRECTORY brings, without the directory's name; "" when there are none.
inline std::string LoadError(const TemporaryDirectory& directory, FileTrust trust = FileTrust::kAnyOwner) {
  const absl::StatusOr<ProfileSet> profiles = LoadProfiles(directory.path(), trust);
  if (profiles.ok()) {
    return {};
  }
  EXPECT_EQ(profiles.status().code(), absl::StatusCode::kInvalidArgument);
  std::string message = Message(profiles.status());
  const std::string prefix = directory.path() + "/";
  for (size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
    message.erase(at, prefix.size());
  }
  return message;
}

}  // namespace caisson::policy

#endif  // CAISSON_TESTS_UNIT_POLICY_POLICY_SUPPORT_H_
