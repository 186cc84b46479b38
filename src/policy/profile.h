// Profile: one kind of sandbox, as a value. Loaded from root-owned JSON by profile_loader; immutable
// afterwards.
#ifndef CAISSON_POLICY_PROFILE_H_
#define CAISSON_POLICY_PROFILE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/limits.h"

namespace caisson::policy {

enum class NetworkMode : uint8_t { kNone, kLoopback };

// A file or directory of the host, or of the profile's image, that the root shows read-only (nosuid, nodev),
// at the same path unless `target` says otherwise.
struct BindMount {
  std::string source;
  std::string target;
  bool executable = true;  // false: noexec
  bool optional = false;   // true: left out where the host, or the image, has no such path
  std::string why;
};

struct Symlink {
  std::string path;
  std::string target;
};

// In the place of a descriptor of the directory where an image is mounted: the host's own root.
inline constexpr int kHostRoot = -1;

// The file that a profile's root is instead of the host's: a read-only file system, pinned by what it holds.
struct RootImage {
  std::string path;        // absolute, on the host
  std::string digest;      // "sha256:" and 64 lower-case hexadecimal digits, of the whole file
  std::string written_at;  // "FILE:LINE: KEY", for messages
};

struct TextFile {
  std::string path;
  std::string content;
};

// One condition on one argument of a syscall; all conditions of a rule must hold. The low 32 bits are
// compared, as the kernel does for int arguments: (argument & mask) == value.
struct ArgumentCondition {
  uint32_t index = 0;  // 0..5
  uint32_t mask = 0xffffffffU;
  uint32_t value = 0;
};

enum class SyscallAction : uint8_t {
  kAllow,
  kErrno,    // silently, `errno_value`: probes for which the libc has a fall-back
  kSucceed,  // silently, 0, and nothing is done: what would do nothing to the run's own files anyway
  kCount,    // allowed, but init counts: fcntl's record locks, which no limit of the kernel covers
  kDeny,     // reported, then `errno_value` (EPERM unless the profile says otherwise)
  kKill,     // reported, then the run ends as SYSCALL_VIOLATION
  kObserve,  // let through after init has counted it; of learning runs alone (policy/learning.h), no file can
             // say it
};

// One rule of a syscall filter. Several rules of one syscall are alternatives.
struct SyscallRule {
  std::string syscall;  // name, as in syscalls(2)
  SyscallAction action = SyscallAction::kAllow;
  int errno_value = 0;
  std::vector<ArgumentCondition> conditions;
  std::string why;
};

struct SyscallFilter {
  std::vector<SyscallRule> rules;  // groups already expanded, in the order of the file
};

enum class HintUnit : uint8_t { kMemoryMib, kCpus };

// What a program is told about a limit that it cannot see: "-Xmx179m" after the first word of the command,
// or "GOMAXPROCS=1" in the environment.
struct LimitHint {
  std::string variable;  // empty: an argument
  std::string before;    // then the number, then `after`
  std::string after;
  HintUnit unit = HintUnit::kMemoryMib;
  uint32_t percent = 100;  // of memory_bytes
  std::string why;
};

// A library that the root carries and a request may name.
struct Library {
  std::string package;  // the Debian package that brings it
  std::string probe;    // absolute path that must exist for it to be there
};

// One step of a profile: how its sandbox is built and what may run in it.
struct StepSection {
  std::vector<std::string> command;  // "{main}" is the main file; "{sources}", in a compile step, all sources
  std::vector<std::string> outputs;  // of a compile step: what the run step gets; relative to /box, or "."
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> environment_whys;  // by name, of the unusual ones
  std::vector<LimitHint> limit_hints;
  std::vector<BindMount> binds;
  std::vector<Symlink> symlinks;
  std::vector<TextFile> files;
  bool box_executable = false;  // may files in /box, /tmp and /dev/shm be executed?
  NetworkMode network = NetworkMode::kNone;
  LimitRange limits;
  SyscallFilter filter;
  SyscallFilter
      terminal_filter;  // of a run with a terminal: `filter` and the group `terminal`; or no rule at all
};

struct Profile {
  std::string name;          // [a-z][a-z0-9-]{0,62}
  std::string display_name;  // "Python 3"
  std::string description;
  std::string file_extension;     // ".py"
  std::string default_main_file;  // "main.py"
  std::string hello_program;
  std::string toolchain_package;  // Debian package whose version is the toolchain's; empty: none
  std::string toolchain_probe;  // absolute path that must exist for the profile to be available; empty: none
  std::string variant_of;       // the nearest listed profile that it extends; empty: none
  std::map<std::string, Library> packages;  // by the names that requests use
  std::string source_file;                  // where it was read, for messages
  bool interactive = false;                 // may a run have a terminal?
  // What the sources of all mounts and the probes are paths of; without it, the host's own root.
  std::optional<RootImage> image;
  std::optional<StepSection> compile;
  StepSection run;
};

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_PROFILE_H_
