// Fuzzes what the stub does with a client's bundle: the files it writes below /box, then argv and envp.
// Input: the bytes of a bundle. Whatever they are, nothing outside the directory changes, and the files are
// those that a plain reading of the bundle expects; a bundle that is refused is refused with a reason.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "common/unique_fd.h"
#include "sandbox/init/bundle_reader.h"
#include "sandbox/init/exec_image.h"
#include "sandbox/init/unpack.h"
#include "sandbox/plan_writer.h"

namespace caisson::init {
namespace {

namespace fs = std::filesystem;

constexpr char kSecret[] = "not the bundle's";

struct File {
  std::string content;
  mode_t mode;
  bool operator==(const File&) const = default;
};
using Files = std::map<std::string, File>;

// /box and what stands beside it.
class Host {
 public:
  Host() {
    const bool has_shm = access("/dev/shm", W_OK) == 0;
    std::string name = std::string(has_shm ? "/dev/shm" : "/tmp") + "/caisson-fuzz-XXXXXX";
    CAISSON_CHECK(mkdtemp(name.data()) != nullptr);
    top_ = name;
    fs::create_directory(top_ / "box");
    std::ofstream(top_ / "secret") << kSecret;
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }

  std::string box() const { return (top_ / "box").string(); }

  Files Written() const {
    Files files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top_ / "box")) {
      struct stat info {};
      CAISSON_CHECK(lstat(entry.path().c_str(), &info) == 0);
      CAISSON_CHECK(S_ISDIR(info.st_mode) || (S_ISREG(info.st_mode) && info.st_nlink == 1));
      if (S_ISREG(info.st_mode)) {
        files[entry.path().lexically_relative(top_ / "box").string()] = {Read(entry.path()),
                                                                         info.st_mode & 07777U};
      }
    }
    return files;
  }

  void CheckUntouched() const {
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(top_)) {
      names.insert(entry.path().filename().string());
    }
    CAISSON_CHECK((names == std::set<std::string>{"box", "secret"}));
    CAISSON_CHECK(Read(top_ / "secret") == kSecret);
  }

 private:
  static std::string Read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path top_;
};

// A path as the API describes it, told in another way than the stub's own check.
bool IsPlain(const std::string& path) {
  if (path.empty() || path.size() > wire::kMaxPathBytes || path.front() == '/' || path.back() == '/' ||
      path.find("//") != std::string::npos) {
    return false;
  }
  const fs::path parts(path);
  return std::distance(parts.begin(), parts.end()) <= wire::kMaxPathComponents &&
         std::all_of(parts.begin(), parts.end(), [](const fs::path& part) {
           return part != "." && part != ".." && part.string().size() <= 255;
         });
}

// What a bundle asks for; nothing if it must be refused.
std::optional<Files> Expected(BundleReader bundle) {
  Files files;
  std::set<std::string> directories;
  BundleItem item{};
  while (bundle.Next(item)) {
    if (item.type != wire::BundleRecord::kFile) {
      continue;
    }
    const std::string path(item.name, item.name_bytes);
    if (!IsPlain(path) || files.contains(path) || directories.contains(path)) {
      return std::nullopt;
    }
    for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string directory = path.substr(0, slash);
      if (files.contains(directory)) {
        return std::nullopt;
      }
      directories.insert(directory);
    }
    // SAFETY: bytes as characters.
    files[path] = {std::string(reinterpret_cast<const char*>(item.data), item.data_bytes), item.mode & 0755U};
  }
  return bundle.valid() ? std::optional(files) : std::nullopt;
}

std::vector<std::byte> Plan() {
  sandbox::PlanWriter writer;
  for (const char* word : {"/usr/bin/run", "{main}", "{sources}", "-c", "{main_class}"}) {
    writer.Add(sandbox::PlanRecord::kArgument, {0, 0, word});
  }
  for (const char* variable : {"PATH=/usr/bin", "HOME=/box"}) {
    writer.Add(sandbox::PlanRecord::kEnvironment, {0, 0, variable});
  }
  return writer.Finish();
}

struct Stub {
  const std::string* box;
  BundleReader bundle;
  PlanReader plan;
  int error_pipe;
  ExecImage* image;
};

int RunAsStub(void* argument) {
  Stub& stub = *static_cast<Stub*>(argument);
  if (chdir(stub.box->c_str()) != 0) {
    return 2;
  }
  Progress progress(Progress::Side::kStub, stub.error_pipe);
  UnpackFiles(stub.bundle, progress);
  stub.image->Build(stub.plan, stub.bundle, {64U << 20U, 1000}, progress);
  return 0;
}

// Where it was refused; nothing if all went well. A refusal ends the process, as it ends the stub; the memory
// is shared, so that the fuzzer sees which code has run.
std::optional<sandbox::SetupRecord> RunStubOn(Stub& stub) {
  std::array<int, 2> ends{};
  CAISSON_CHECK(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  stub.error_pipe = write_end.get();
  std::vector<char> stack(1U << 20U);
  const pid_t child = clone(RunAsStub, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &stub);
  CAISSON_CHECK(child > 0);
  int status = 0;
  CAISSON_CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
  StubReport report{};
  const bool refused = read(read_end.get(), &report, sizeof report) == static_cast<ssize_t>(sizeof report);
  CAISSON_CHECK(WEXITSTATUS(status) == (refused ? 1 : 0));
  CAISSON_CHECK(!refused || (report.word == StubWord::kFailed && report.record.error_number > 0));
  return refused ? std::optional(report.record) : std::nullopt;
}

std::vector<std::string_view> Words(const char* const* texts) {
  std::vector<std::string_view> words;
  for (; *texts != nullptr; ++texts) {
    words.emplace_back(*texts);
  }
  return words;
}

// The client's arguments come last, all and in order; each of its variables is there.
void CheckImage(const ExecImage& image, BundleReader bundle) {
  const std::vector<std::string_view> argv = Words(image.argv());
  const std::vector<std::string_view> envp = Words(image.envp());
  std::vector<std::string_view> arguments;
  BundleItem item{};
  bundle.Rewind();
  while (bundle.Next(item)) {
    const std::string_view name(item.name, item.name_bytes);
    if (item.type == wire::BundleRecord::kArgument) {
      arguments.push_back(name);
    }
  }
  CAISSON_CHECK(argv.size() >= arguments.size() + 1 && argv.front() == "/usr/bin/run");
  CAISSON_CHECK(std::equal(arguments.rbegin(), arguments.rend(), argv.rbegin()));
  CAISSON_CHECK(envp.size() <= wire::kMaxEnv + 2);
}

void FuzzOne(std::span<const uint8_t> input) {
  // Aligned as a mapping is, and no byte more than the bundle has.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  const BundleReader bundle(bytes.data(), bytes.size());
  if (!bundle.valid()) {
    return;  // The stub does not go on either.
  }
  static const std::vector<std::byte> kPlan = Plan();
  const Host host;
  const std::string box = host.box();
  const auto image = std::make_unique<ExecImage>();
  // SAFETY: bytes as bytes.
  const PlanReader plan(reinterpret_cast<const unsigned char*>(kPlan.data()), kPlan.size());
  Stub stub{&box, bundle, plan, -1, image.get()};
  const std::optional<sandbox::SetupRecord> refused = RunStubOn(stub);
  host.CheckUntouched();
  const std::optional<Files> expected = Expected(bundle);
  if (refused.has_value()) {
    // Without files that are wrong it can only be too many words.
    CAISSON_CHECK(!expected.has_value() || refused->stage != sandbox::SetupStage::kStubFiles);
  } else {
    CAISSON_CHECK(expected.has_value() && host.Written() == *expected);
    CheckImage(*image, bundle);
  }
}

}  // namespace
}  // namespace caisson::init

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  umask(022);
  caisson::init::FuzzOne(std::span(data, size));
  return 0;
}
