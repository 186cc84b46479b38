// Runs in the locked stub. Input: the profile's command (trusted) and the client's bundle (hostile).
#include "sandbox/init/exec_image.h"

#include <linux/errno.h>
#include <linux/mman.h>

#include "sandbox/init/text.h"

namespace caisson::init {
namespace {

// Whether both are "NAME=..." with the same NAME.
bool SameVariable(const char* a, const char* b) {
  while (*a != '\0' && *a != '=' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == '=' && *b == '=';
}

constexpr char kBox[] = "/box/";
constexpr uint32_t kBoxBytes = sizeof kBox - 1;

// Writes "/box/<name>" and its NUL; returns what follows.
char* PutBoxPath(char* to, const BundleItem& entry) {
  __builtin_memcpy(to, kBox, kBoxBytes);
  __builtin_memcpy(to + kBoxBytes, entry.name, entry.name_bytes + 1UL);
  return to + kBoxBytes + entry.name_bytes + 1UL;
}

void MustBeSafe(const BundleItem& entry, const Progress& progress) {
  if (!IsSafeRelativePath(entry.name, entry.name_bytes)) {
    progress.Fail(-EINVAL);
  }
}

}  // namespace

void ExecImage::AddArgument(const char* argument, Progress& progress) {
  if (argc_ + 1 >= sizeof argv_ / sizeof *argv_) {
    progress.Fail(-E2BIG);
  }
  argv_[argc_++] = argument;
}

void ExecImage::AddVariable(const char* variable, Progress& progress) {
  for (uint32_t i = 0; i < envc_; ++i) {
    if (SameVariable(envp_[i], variable)) {
      envp_[i] = variable;
      return;
    }
  }
  if (envc_ + 1 >= sizeof envp_ / sizeof *envp_) {
    progress.Fail(-E2BIG);
  }
  envp_[envc_++] = variable;
}

// Their text is in memory of its own: a step without sources does not pay for the room that many would take.
void ExecImage::AddSources(BundleReader& bundle, Progress& progress) {
  BundleItem entry{};
  uint64_t text_bytes = 0;
  bundle.Rewind();
  while (bundle.Next(entry)) {
    if (entry.type == wire::BundleRecord::kSource) {
      MustBeSafe(entry, progress);
      text_bytes += kBoxBytes + entry.name_bytes + 1UL;
    }
  }
  if (text_bytes == 0) {
    return;
  }
  const long memory = progress.Must(Syscall(__NR_mmap, 0, static_cast<long>(text_bytes),
                                            PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char* text = reinterpret_cast<char*>(memory);  // SAFETY: the kernel gives addresses as integers.
  bundle.Rewind();
  while (bundle.Next(entry)) {
    if (entry.type == wire::BundleRecord::kSource) {
      AddArgument(text, progress);
      text = PutBoxPath(text, entry);
    }
  }
}

// "com/x/Main.java" → "com.x.Main". Only the last part has an extension, and ".java" is all name.
void ExecImage::SetMainClass() {
  const char* path = main_file_ + kBoxBytes;
  const size_t bytes = Length(path);
  size_t end = bytes;
  for (size_t i = bytes; i > 1 && path[i - 1] != '/'; --i) {
    if (path[i - 1] == '.' && path[i - 2] != '/') {
      end = i - 1;
      break;
    }
  }
  for (size_t i = 0; i < end; ++i) {
    main_class_[i] = path[i];
    if (path[i] == '/') {
      main_class_[i] = '.';
    }
  }
  main_class_[end] = '\0';
}

void ExecImage::AddHint(const PlanItem& item, const HintedLimits& limits, Progress& progress) {
  constexpr uint64_t kMib = 1024UL * 1024;
  constexpr uint64_t kWhole = 100;
  constexpr uint64_t kOneCpu = 1000;
  if (hints_ == sandbox::kMaxLimitHints) {
    progress.Fail(-E2BIG);
  }
  // limits.cc keeps memory_bytes below 2^50: no overflow.
  uint64_t number = (item.flags & sandbox::kHintCpus) != 0 ? (limits.cpu_millis + kOneCpu - 1) / kOneCpu
                                                           : limits.memory_bytes * item.mode / kWhole / kMib;
  number = number == 0 ? 1 : number;
  auto& text = hint_texts_[hints_++];
  text.Append(item.path == nullptr ? "" : item.path).Append(number);
  text.Append(reinterpret_cast<const char*>(item.data));  // SAFETY: the plan has it with its NUL.
  if (!text.ok()) {
    progress.Fail(-E2BIG);
  }
  if ((item.flags & sandbox::kHintVariable) != 0) {
    AddVariable(text.c_str(), progress);
  } else {
    AddArgument(text.c_str(), progress);
  }
}

void ExecImage::Build(PlanReader plan, BundleReader& bundle, const HintedLimits& limits, Progress& progress) {
  progress.Enter(sandbox::SetupStage::kStubBundle);
  BundleItem entry{};
  bundle.Rewind();
  while (bundle.Next(entry)) {
    if (entry.type == wire::BundleRecord::kMainFile) {
      MustBeSafe(entry, progress);
      PutBoxPath(main_file_, entry);
      SetMainClass();
    }
  }
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kArgument && Equal(item.path, "{sources}")) {
      AddSources(bundle, progress);
    } else if (item.type == sandbox::PlanRecord::kArgument) {
      AddArgument(Equal(item.path, "{main}")         ? main_file_
                  : Equal(item.path, "{main_class}") ? main_class_
                                                     : item.path,
                  progress);
    } else if (item.type == sandbox::PlanRecord::kLimitHint) {
      AddHint(item, limits, progress);
    } else if (item.type == sandbox::PlanRecord::kEnvironment) {
      AddVariable(item.path, progress);
    }
  }
  bundle.Rewind();
  while (bundle.Next(entry)) {
    if (entry.type == wire::BundleRecord::kArgument) {
      AddArgument(entry.name, progress);
    } else if (entry.type == wire::BundleRecord::kEnvironment) {
      AddVariable(entry.name, progress);
    }
  }
  if (argc_ == 0) {
    progress.Fail(-EINVAL);
  }
}

}  // namespace caisson::init
