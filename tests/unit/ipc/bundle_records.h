// Reads a bundle as ipc/run_streams.h describes it, independently of the writer.
#ifndef CAISSON_TESTS_UNIT_IPC_BUNDLE_RECORDS_H_
#define CAISSON_TESTS_UNIT_IPC_BUNDLE_RECORDS_H_

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "ipc/run_streams.h"

namespace caisson::ipc {

struct Record {
  wire::BundleRecord type;
  uint32_t mode;
  std::string name;
  std::string data;
  bool operator==(const Record&) const = default;
};

inline std::string Content(int fd) {
  struct stat info {};
  EXPECT_EQ(fstat(fd, &info), 0);
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  EXPECT_EQ(pread(fd, bytes.data(), bytes.size(), 0), info.st_size);
  return bytes;
}

inline std::vector<Record> Parse(const std::string& bytes) {
  wire::BundleHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(header.magic, wire::kBundleMagic);
  EXPECT_EQ(header.version, wire::kBundleVersion);
  EXPECT_EQ(header.reserved, 0U);
  std::vector<Record> records;
  size_t at = sizeof header;
  for (uint32_t i = 0; i < header.record_count; ++i) {
    wire::BundleRecordHeader record{};
    EXPECT_EQ(at % 8, 0U);
    std::memcpy(&record, bytes.data() + at, sizeof record);
    at += sizeof record;
    EXPECT_EQ(record.reserved, 0U);
    const std::string name = bytes.substr(at, record.name_bytes);
    at += record.name_bytes;
    EXPECT_EQ(bytes.at(at), '\0');
    ++at;
    records.push_back({record.type, record.mode, name, bytes.substr(at, record.data_bytes)});
    at += record.data_bytes;
    for (; at % 8 != 0; ++at) {
      EXPECT_EQ(bytes.at(at), '\0');
    }
  }
  EXPECT_EQ(at, bytes.size());
  return records;
}

}  // namespace caisson::ipc

#endif  // CAISSON_TESTS_UNIT_IPC_BUNDLE_RECORDS_H_
