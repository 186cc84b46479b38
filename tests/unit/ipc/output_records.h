// The stream of output files (ipc/run_streams.h) as init would write it, record by record.
#ifndef CAISSON_TESTS_UNIT_IPC_OUTPUT_RECORDS_H_
#define CAISSON_TESTS_UNIT_IPC_OUTPUT_RECORDS_H_

#include <cstdint>
#include <string>

#include "ipc/run_streams.h"

namespace caisson::ipc {

inline std::string OutputRecordBytes(wire::OutputRecord type, const std::string& bytes, uint64_t size = 0,
                                     wire::OutputRefusal reason = wire::OutputRefusal::kNone,
                                     uint32_t flags = 0) {
  wire::OutputHeader header{};
  header.magic = wire::kOutputMagic;
  header.type = type;
  header.bytes = static_cast<uint32_t>(bytes.size());
  header.flags = flags;
  header.reason = reason;
  header.size = size;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + bytes;
}

inline std::string File(const std::string& path, uint64_t size, uint32_t flags = 0) {
  return OutputRecordBytes(wire::OutputRecord::kFile, path, size, wire::OutputRefusal::kNone, flags);
}
inline std::string Data(const std::string& bytes) {
  return OutputRecordBytes(wire::OutputRecord::kData, bytes);
}
inline std::string FileEnd(wire::OutputRefusal reason = wire::OutputRefusal::kNone, uint64_t size = 0) {
  return OutputRecordBytes(wire::OutputRecord::kFileEnd, "", size, reason);
}
inline std::string Refused(const std::string& path, wire::OutputRefusal reason = wire::OutputRefusal::kLink,
                           uint64_t size = 0) {
  return OutputRecordBytes(wire::OutputRecord::kRefused, path, size, reason);
}
inline std::string Done(uint64_t unlisted = 0) {
  return OutputRecordBytes(wire::OutputRecord::kDone, "", unlisted);
}
inline std::string WholeFile(const std::string& path, const std::string& content, uint32_t flags = 0) {
  std::string stream = File(path, content.size(), flags);
  for (size_t at = 0; at < content.size(); at += wire::kMaxOutputChunkBytes) {
    stream += Data(content.substr(at, wire::kMaxOutputChunkBytes));
  }
  return stream + FileEnd();
}

}  // namespace caisson::ipc

#endif  // CAISSON_TESTS_UNIT_IPC_OUTPUT_RECORDS_H_
