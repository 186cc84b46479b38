// Runs init's collector, hosted, on a real directory, and reads its stream as the dispatcher does.
#ifndef CAISSON_TESTS_UNIT_SANDBOX_COLLECTED_H_
#define CAISSON_TESTS_UNIT_SANDBOX_COLLECTED_H_

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/unique_fd.h"
#include "ipc/output_decoder.h"
#include "sandbox/init/collect.h"

namespace caisson::init {

// What came out of a directory.
class Collected final : public ipc::OutputSink {
 public:
  struct File {
    std::string content;
    uint64_t size = 0;
    bool executable = false;
    bool complete = false;
  };
  struct Refusal {
    std::string path;
    wire::OutputRefusal reason;
    int error;
    bool operator==(const Refusal&) const = default;
  };

  std::vector<std::string> order;  // of the files
  std::map<std::string, File> files;
  std::vector<Refusal> refusals;
  uint64_t unlisted = 0;
  bool done = false;
  absl::Status status;  // not OK: the dispatcher would not take such a stream

  void OnFile(const ipc::OutputFileInfo& file) override {
    order.emplace_back(file.path);
    File& entry = files[order.back()];
    entry.size = file.size_bytes;
    entry.executable = file.executable;
  }
  void OnData(std::span<const std::byte> bytes) override {
    // SAFETY: bytes as characters.
    files[order.back()].content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void OnFileEnd(bool complete, int /*error_number*/) override { files[order.back()].complete = complete; }
  void OnRefused(std::string_view path, wire::OutputRefusal reason, int error_number) override {
    refusals.push_back({std::string(path), reason, error_number});
  }
  void OnDone(uint64_t number) override {
    unlisted = number;
    done = true;
  }

  const Refusal* RefusalOf(const std::string& path) const {
    for (const Refusal& refusal : refusals) {
      if (refusal.path == path) {
        return &refusal;
      }
    }
    return nullptr;
  }
};

// `bundle` need not be one that anybody would write. The pipe has the kernel's default size, so the reader is
// a thread.
inline Collected Collect(const std::string& directory, const BundleReader& bundle) {
  Collected collected;
  std::array<int, 2> ends{};
  CAISSON_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const UniqueFd box(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  CAISSON_CHECK(box.valid());
  std::thread reader([&] {
    ipc::OutputDecoder decoder(collected);
    std::vector<std::byte> buffer(65'536);
    for (ssize_t got = 0; (got = read(read_end.get(), buffer.data(), buffer.size())) > 0;) {
      collected.status = decoder.Feed(std::span(buffer).first(static_cast<size_t>(got)));
    }
  });
  const auto memory = std::make_unique<CollectMemory>();
  Collector(*memory, box.get(), bundle, write_end.get()).Run();
  write_end.reset();
  reader.join();
  return collected;
}

}  // namespace caisson::init

#endif  // CAISSON_TESTS_UNIT_SANDBOX_COLLECTED_H_
