// Fuzzes init's collector on real trees: the input makes a small tree with everything a payload can make, and
// a bundle that asks for parts of it. Whatever both are, the stream must be one that the dispatcher takes,
// and nothing in it may come from outside the tree.
//
// Input: a byte n, n operations of two bytes each (what, which name or size), then either bytes of a bundle
// (after a byte with its lowest bit set) or output paths, one a line.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/status.h"
#include "sandbox/collected.h"
#include "sandbox/raw_bundle.h"

namespace caisson::init {
namespace {

namespace fs = std::filesystem;

constexpr char kSecret[] = "what no run may see";
constexpr int kMaxDepth = 70;

const std::array<std::string, 8>& Names() {
  static const std::array<std::string, 8> kNames = {
      "a", "b", "link", std::string(255, 'n'), "x\n\x1b[2J", "-rf", "\xff\xc3\x28", "..."};
  return kNames;
}

const std::array<std::string, 8>& Targets() {
  static const std::array<std::string, 8> kTargets = {"../secret", "../../secret",      "a", "..", ".", "b/a",
                                                      "link",      "/proc/self/environ"};
  return kTargets;
}

class Tree {
 public:
  Tree() {
    const bool has_shm = access("/dev/shm", W_OK) == 0;
    std::string name = std::string(has_shm ? "/dev/shm" : "/tmp") + "/caisson-fuzz-XXXXXX";
    CAISSON_CHECK(mkdtemp(name.data()) != nullptr);
    top_ = name;
    fs::create_directory(top_ / "box");
    std::ofstream(top_ / "secret") << kSecret;
    at_ = top_ / "box";
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }

  // One thing a payload may do; what fails, fails. Nothing here follows a link: this may run as root.
  void Do(uint8_t what, uint8_t which) {
    std::error_code ignored;
    const std::string path = (at_ / Names().at(which % 8U)).string();
    switch (what % 9U) {
      case 0:
        if (depth_ < kMaxDepth && mkdir(path.c_str(), 0755) == 0) {
          at_ = path;
          ++depth_;
        }
        break;
      case 1:
        if (depth_ > 0) {
          at_ = at_.parent_path();
          --depth_;
        }
        break;
      case 2:
        Write(path, (which >> 3U) * 4000U);
        break;
      case 3:
        fs::create_symlink(Targets().at(which >> 5U), path, ignored);
        break;
      case 4:
        fs::create_hard_link(top_ / "secret", path, ignored);
        break;
      case 5:
        static_cast<void>(mkfifo(path.c_str(), 0666));
        break;
      case 6:
        Write(path, 10, static_cast<off_t>(1) << (which >> 3U));
        break;
      case 7:
        if (fs::is_regular_file(fs::symlink_status(path, ignored))) {
          fs::permissions(path, fs::perms((which >> 3U) * 0111U), ignored);
        }
        break;
      default:
        fs::rename(at_ / "a", path, ignored);
        break;
    }
  }

  std::string box() const { return (top_ / "box").string(); }

 private:
  // A new file; with more bytes than are written, the rest is a hole.
  static void Write(const std::string& path, size_t written, off_t size = 0) {
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    const std::string content(written, 'c');
    if (fd.valid() && write(fd.get(), content.data(), content.size()) >= 0 && size > 0) {
      CAISSON_CHECK(ftruncate(fd.get(), size) == 0);
    }
  }

  fs::path top_;
  fs::path at_;
  int depth_ = 0;
};

void CheckCollected(const Tree& tree, const Collected& collected) {
  CAISSON_CHECK(collected.status.ok() && collected.done);
  CAISSON_CHECK(collected.order.size() == collected.files.size());  // Each once.
  uint64_t total = 0;
  for (const auto& [path, file] : collected.files) {
    struct stat info {};
    CAISSON_CHECK(lstat((tree.box() + "/" + path).c_str(), &info) == 0);
    CAISSON_CHECK(S_ISREG(info.st_mode) && info.st_nlink == 1);
    CAISSON_CHECK(file.size == static_cast<uint64_t>(info.st_size) && file.complete);
    CAISSON_CHECK(file.content.find(kSecret) == std::string::npos);
    total += file.size;
  }
  CAISSON_CHECK(total <= wire::kMaxOutputTotalBytes);
  std::set<std::string> refused;
  for (const Collected::Refusal& refusal : collected.refusals) {
    // A path beyond the bound is cut, so two of them may look alike.
    const bool is_new = refused.insert(refusal.path).second;
    CAISSON_CHECK(is_new || refusal.path.size() == wire::kMaxPathBytes);
    CAISSON_CHECK(!collected.files.contains(refusal.path));
  }
}

void FuzzOne(std::span<const uint8_t> input) {
  const auto take = [&input]() -> uint8_t {
    const uint8_t byte = input.empty() ? 0 : input.front();
    input = input.subspan(input.empty() ? 0 : 1);
    return byte;
  };
  Tree tree;
  for (int left = take(); left > 0 && !input.empty(); --left) {
    const uint8_t what = take();
    tree.Do(what, take());
  }
  const bool is_raw = (take() & 1U) != 0;
  if (is_raw) {
    const std::vector<unsigned char> bytes(input.begin(), input.end());
    CheckCollected(tree, Collect(tree.box(), BundleReader(bytes.data(), bytes.size())));
    return;
  }
  RawBundle bundle;
  std::string path;
  for (const uint8_t byte : input) {
    if (byte != '\n') {
      path += static_cast<char>(byte);
      continue;
    }
    bundle.Record(wire::BundleRecord::kOutputPath, path);
    path.clear();
  }
  bundle.Record(wire::BundleRecord::kOutputPath, path);
  CheckCollected(tree, Collect(tree.box(), bundle.Reader()));
}

}  // namespace
}  // namespace caisson::init

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::init::FuzzOne(std::span(data, size));
  return 0;
}
