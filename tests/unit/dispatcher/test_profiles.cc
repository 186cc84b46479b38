#include "dispatcher/test_profiles.h"

#include <string>

namespace caisson::dispatcher {

ProfileCatalog TestCatalog() {
  policy::ProfileSet profiles;
  for (const char* name : {"python", "native", "rust", "cobol"}) {
    policy::Profile profile;
    profile.name = name;
    profile.display_name = name;
    profile.run.limits = policy::StandardRunLimits();
    profiles.emplace(name, profile);
  }
  profiles["python"].interactive = true;
  profiles["python"].toolchain_package = "python3";
  profiles["python"].toolchain_probe = "/proc/self";
  profiles["python"].packages["numpy"] = {"python3-numpy", "/proc/self"};
  profiles["python"].packages["scipy"] = {"python3-scipy", "/nonexistent/scipy"};
  profiles["rust"].file_extension = ".rs";
  profiles["rust"].compile.emplace();
  profiles["rust"].compile->limits = policy::StandardCompileLimits();
  profiles["rust"].compile->outputs = {"program", "lib"};
  profiles["cobol"].toolchain_package = "gnucobol4";
  profiles["cobol"].toolchain_probe = "/nonexistent/cobc";
  return ProfileCatalog(profiles, {{"python3", "3.11.2-1"}}, -1);
}

v1::ExecuteRequest ValidExecuteRequest() {
  v1::ExecuteRequest request;
  request.set_profile("python");
  v1::InputFile* file = request.add_files();
  file->set_path("main.py");
  file->set_content("print(1)\n");
  return request;
}

}  // namespace caisson::dispatcher
