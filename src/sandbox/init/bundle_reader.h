// Walks the bundle a client's request became. Every byte of it may be an attacker's; it is read by the locked
// stub, under the payload's own uid, so what a mistake here could do the payload may do anyway. Pure; also
// built hosted for the sanitized unit tests and the fuzzer.
#ifndef CAISSON_SANDBOX_INIT_BUNDLE_READER_H_
#define CAISSON_SANDBOX_INIT_BUNDLE_READER_H_

#include <stddef.h>
#include <stdint.h>

#include "ipc/run_streams.h"

namespace caisson::init {

struct BundleItem {
  wire::BundleRecord type;
  uint32_t mode;
  const char* name;  // NUL-terminated, no NUL inside
  uint32_t name_bytes;
  const unsigned char* data;
  uint64_t data_bytes;
};

class BundleReader {
 public:
  BundleReader(const unsigned char* bytes, uint64_t size) : bytes_(bytes), size_(size) {
    const auto* header = reinterpret_cast<const wire::BundleHeader*>(bytes);
    valid_ = size >= sizeof *header && size <= wire::kMaxBundleBytes && header->magic == wire::kBundleMagic &&
             header->version == wire::kBundleVersion && header->record_count <= wire::kMaxBundleRecords &&
             header->reserved == 0;
    Rewind();
  }

  bool valid() const { return valid_; }
  void Rewind() {
    offset_ = sizeof(wire::BundleHeader);
    left_ = valid_ ? reinterpret_cast<const wire::BundleHeader*>(bytes_)->record_count : 0;
  }

  // The next record; false after the last, and at the first malformed one, which makes the reader invalid.
  bool Next(BundleItem& item) {
    if (!valid_ || left_ == 0) {
      return false;
    }
    --left_;
    valid_ = Parse(item);
    return valid_;
  }

 private:
  bool Parse(BundleItem& item) {
    wire::BundleRecordHeader header{};
    if (size_ - offset_ < sizeof header) {
      return false;
    }
    __builtin_memcpy(&header, bytes_ + offset_, sizeof header);
    offset_ += sizeof header;
    const uint64_t name_room = static_cast<uint64_t>(header.name_bytes) + 1;
    if (name_room > size_ - offset_) {
      return false;
    }
    const unsigned char* name = bytes_ + offset_;
    offset_ += name_room;
    if (header.data_bytes > size_ - offset_) {
      return false;
    }
    const unsigned char* data = bytes_ + offset_;
    offset_ += header.data_bytes;
    const uint64_t padding = (8 - offset_ % 8) % 8;
    if (padding > size_ - offset_) {
      return false;
    }
    offset_ += padding;
    for (uint32_t i = 0; i < header.name_bytes; ++i) {
      if (name[i] == 0) {
        return false;
      }
    }
    if (name[header.name_bytes] != 0) {
      return false;
    }
    item = BundleItem{header.type,       header.mode, reinterpret_cast<const char*>(name),
                      header.name_bytes, data,        header.data_bytes};
    return true;
  }

  const unsigned char* bytes_;
  uint64_t size_;
  uint64_t offset_ = 0;
  uint32_t left_ = 0;
  bool valid_ = false;
};

// Relative, without empty, "." and ".." components, within the bounds of run_streams.h.
inline bool IsSafeRelativePath(const char* path, uint32_t length) {
  if (length == 0 || length > wire::kMaxPathBytes) {
    return false;
  }
  uint32_t components = 0;
  uint32_t start = 0;
  for (uint32_t i = 0; i <= length; ++i) {
    if (i != length && path[i] != '/') {
      continue;
    }
    const uint32_t size = i - start;
    const bool dots =
        (size == 1 && path[start] == '.') || (size == 2 && path[start] == '.' && path[start + 1] == '.');
    if (size == 0 || size > 255 || dots || ++components > wire::kMaxPathComponents) {
      return false;
    }
    start = i + 1;
  }
  return true;
}

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_BUNDLE_READER_H_
