// The three byte streams between the dispatcher and the inside of a sandbox, which caissond carries as
// descriptors and never reads: the bundle (dispatcher → stub and init, a sealed memfd), the events and the
// output files (init → dispatcher, pipes). Freestanding: caisson-init includes this file; it may use nothing
// but <stdint.h>.
//
// Bundle: everything a client chose but numbers and names. Parsed by the stub, inside the sandbox, under the
// payload's own uid and locks, so a malformed bundle can harm only the run it belongs to; init reads the
// output paths of it once everything else is dead. Events and output files: written by init, which answers a
// hostile payload and walks its files; the dispatcher range-checks every field.
#ifndef CAISSON_IPC_RUN_STREAMS_H_
#define CAISSON_IPC_RUN_STREAMS_H_

#include <stdint.h>

namespace caisson::wire {

// --- Bundle
// ------------------------------------------------------------------------------------------------------- A
// BundleHeader, then records one after the other, each starting at a multiple of 8 and followed by its bytes.
inline constexpr uint32_t kBundleMagic = 0x4c444e42;  // "BNDL"
inline constexpr uint32_t kBundleVersion = 1;
inline constexpr uint64_t kMaxBundleBytes = 272ULL * 1024 * 1024;
inline constexpr uint32_t kMaxBundleRecords = 4096;
inline constexpr uint32_t kMaxPathBytes = 1024;     // of one file's path, without the terminating NUL
inline constexpr uint32_t kMaxPathComponents = 64;  // of one file's path
inline constexpr uint32_t kMaxArgs = 1024;
inline constexpr uint32_t kMaxEnv = 512;

struct BundleHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t record_count;
  uint32_t reserved;  // 0
};

enum class BundleRecord : uint32_t {
  kMainFile = 1,     // name: path relative to /box; replaces "{main}" in the profile's command. At most one.
  kArgument = 2,     // name: one argument, appended to the profile's command
  kEnvironment = 3,  // name: "NAME=value", replaces the profile's variable of that name
  kFile = 4,         // name: path relative to /box; data: its content; mode: 0644 or 0755
  kSource = 5,       // name: path relative to /box; all of them, in order, replace "{sources}" in the command
  kOutputPath = 6,   // name: path relative to /box of a file or directory to be collected; "." is /box
};

// Followed by `name_bytes` bytes of name and one NUL, then `data_bytes` bytes of data, then padding to 8.
struct BundleRecordHeader {
  BundleRecord type;
  uint32_t mode;
  uint32_t name_bytes;  // without the NUL
  uint32_t reserved;    // 0
  uint64_t data_bytes;
};
static_assert(sizeof(BundleHeader) == 16 && sizeof(BundleRecordHeader) == 24);

// --- Events
// -------------------------------------------------------------------------------------------------------
// Fixed-size records, each one write(2) below PIPE_BUF. End of file is the end of init.
inline constexpr uint32_t kEventMagic = 0x544e5645;  // "EVNT"
inline constexpr uint32_t kMaxLiveDenials = 64;  // events sent as they happen; after that init only counts
inline constexpr uint32_t kMaxDenialKinds =
    128;  // distinct calls in the summary; the rest is in kOtherDenials
inline constexpr uint32_t kMaxObservedKinds =
    512;  // of a learning run: distinct calls and arguments; the rest is in kOtherObserved

// Calls of other architectures: any of them ends the run, so one entry each is enough.
inline constexpr int32_t kI386Call = 1022;
inline constexpr int32_t kX32Call = 1023;

enum class EventType : uint32_t {
  kDenial = 1,  // the first refusal of this syscall, as it happens; count is 1
  kDenialSummary =
      2,              // at the end, one for each refused syscall: its final count, the arguments of the first
  kOtherDenials = 3,  // at the end, if any: count of refusals beyond kMaxDenialKinds; syscall_number is -1
  kObserved = 4,      // of a learning run, at the end, one for each kind of call: its count, the bits of
                      // arguments that rules look at
  kOtherObserved = 5,  // the same, if any: count of calls beyond kMaxObservedKinds; syscall_number is -1
};

struct Event {
  uint32_t magic;
  EventType type;
  int32_t syscall_number;  // x86-64, 0..1023, or -1; kI386Call and kX32Call stand for any such call
  uint32_t killed;         // 1: the profile kills for this call
  uint64_t count;
  uint64_t args[6];  // scalars as the payload gave them; pointers mean nothing outside
};
static_assert(sizeof(Event) == 72);

// The most events of one sandbox: live denials, summaries, what was observed, and one each for the rest.
inline constexpr uint32_t kMaxEvents = kMaxLiveDenials + kMaxDenialKinds + 1 + kMaxObservedKinds + 1;
// A pipe holds 16 pages, and no write below PIPE_BUF is split between two.
static_assert(kMaxEvents <= 16 * (4096 / sizeof(Event)));

// --- Output files
// -------------------------------------------------------------------------------------------------
// After every other process of the sandbox is dead, init walks the output paths and writes, for each file or
// refusal, an OutputHeader followed by its bytes; at the end one kDone. A stream without kDone was cut off.
inline constexpr uint32_t kOutputMagic = 0x5054554f;  // "OUTP"
inline constexpr uint32_t kMaxOutputPaths = 256;      // asked for
inline constexpr uint32_t kMaxOutputFiles = 1024;     // delivered
inline constexpr uint32_t kMaxOutputRefusals = 256;   // listed; the rest is counted in kDone
inline constexpr uint32_t kMaxOutputDepth = 32;       // directories below an output path
inline constexpr uint64_t kMaxOutputTotalBytes = 256ULL * 1024 * 1024;
// Of one file. Linkers leave some megabytes where they align segments; a file with more is mostly nothing.
inline constexpr uint64_t kMaxOutputHoleBytes = 16ULL * 1024 * 1024;
inline constexpr uint32_t kMaxOutputChunkBytes = 64 * 1024;

enum class OutputRecord : uint32_t {
  kFile = 1,     // bytes: the path; size: the file's; flags: 1 = executable. Its kData follow at once.
  kData = 2,     // bytes: the next 1..64 KiB of the file's content
  kFileEnd = 3,  // reason: 0, or kReadFailed when the content stops short of its size
  kRefused = 4,  // bytes: the path, as the payload named it; reason; size = errno, if one tells more
  kDone = 5,     // size: refusals beyond those listed
};

// Why a path is not delivered. Names in the API: OutputRefusal.
enum class OutputRefusal : uint32_t {
  kNone = 0,
  kNotFound = 1,     // asked for, and not there
  kLink = 2,         // a symbolic link, or one on the way
  kHardLink = 3,     // a file with more than one name
  kNotAFile = 4,     // FIFO, socket, device
  kSparse = 5,       // holes of more than kMaxOutputHoleBytes: its size says nothing about its content
  kTooLarge = 6,     // it would exceed kMaxOutputTotalBytes
  kTooMany = 7,      // beyond kMaxOutputFiles
  kTooDeep = 8,      // beyond kMaxOutputDepth
  kNameTooLong = 9,  // beyond kMaxPathBytes
  kReadFailed = 10,  // the kernel refused: size is the errno
  kInvalidName =
      11,  // not UTF-8, or with control characters: the API cannot carry it. Found by the dispatcher
};

struct OutputHeader {
  uint32_t magic;
  OutputRecord type;
  uint32_t bytes;  // that follow this header
  uint32_t flags;
  OutputRefusal reason;
  uint32_t reserved;  // 0
  uint64_t size;
};
static_assert(sizeof(OutputHeader) == 32);

}  // namespace caisson::wire

#endif  // CAISSON_IPC_RUN_STREAMS_H_
