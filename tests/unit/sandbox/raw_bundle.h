// A bundle put together by hand, so that it may be what BundleWriter refuses to write.
#ifndef CAISSON_TESTS_UNIT_SANDBOX_RAW_BUNDLE_H_
#define CAISSON_TESTS_UNIT_SANDBOX_RAW_BUNDLE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sandbox/init/bundle_reader.h"

namespace caisson::init {

class RawBundle {
 public:
  RawBundle() {
    const wire::BundleHeader header{wire::kBundleMagic, wire::kBundleVersion, 0, 0};
    Append(&header, sizeof header);
  }
  RawBundle& Record(wire::BundleRecord type, const std::string& name, const std::string& data = "") {
    const wire::BundleRecordHeader header{type, 0644, static_cast<uint32_t>(name.size()), 0, data.size()};
    Append(&header, sizeof header);
    Append(name.c_str(), name.size() + 1);
    Append(data.data(), data.size());
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    SetCount(++records_);
    return *this;
  }
  // What the header says, whatever is there.
  void SetCount(uint32_t records) {
    std::memcpy(&bytes_[offsetof(wire::BundleHeader, record_count)], &records, sizeof records);
  }
  BundleReader Reader() const { return {bytes_.data(), bytes_.size()}; }
  std::vector<unsigned char>& bytes() { return bytes_; }

 private:
  void Append(const void* data, size_t size) {
    const size_t at = bytes_.size();
    bytes_.resize(at + size);
    if (size != 0) {
      std::memcpy(&bytes_[at], data, size);
    }
  }
  std::vector<unsigned char> bytes_;
  uint32_t records_ = 0;
};

}  // namespace caisson::init

#endif  // CAISSON_TESTS_UNIT_SANDBOX_RAW_BUNDLE_H_
