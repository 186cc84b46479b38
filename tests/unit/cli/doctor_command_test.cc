#include "cli/doctor_command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/profile_command.h"

namespace caisson::cli {
namespace {

TEST(DoctorCommandTest, OwnDirectoryComesFirstAndRelativePathEntriesNever) {
  EXPECT_EQ(CaissondCandidates("/opt/caisson/bin", "/usr/bin:.::relative:/sbin"),
            (std::vector<std::string>{"/opt/caisson/bin/caissond", "/opt/caisson/sbin/caissond",
                                      "/usr/bin/caissond", "/sbin/caissond", "/usr/local/sbin/caissond",
                                      "/usr/sbin/caissond"}));
}

TEST(DoctorCommandTest, TheServicesConfigurationIsLookedAtWhereThereIsOneAndNoOtherIsNamed) {
  EXPECT_EQ(ConfigToCheck("", "/nonexistent/caissond.json"), "");
  EXPECT_EQ(ConfigToCheck("", "/proc/self/status/caissond.json"), "");
  EXPECT_EQ(ConfigToCheck("", "/proc/self/status"), "/proc/self/status");
  EXPECT_EQ(ConfigToCheck("mine.json", "/proc/self/status"), "mine.json");
}

TEST(DoctorCommandTest, MissingProfilesDirectoryNamesBothPlaces) {
  const auto directory = DefaultProfilesDirectory("/nonexistent/build/bin");
  ASSERT_TRUE(absl::IsNotFound(directory.status()));
  const std::string message(directory.status().message().data(), directory.status().message().size());
  EXPECT_NE(message.find("/nonexistent/profiles"), std::string::npos) << message;
  EXPECT_NE(message.find("/nonexistent/build/share/caisson/profiles"), std::string::npos) << message;
}

}  // namespace
}  // namespace caisson::cli
