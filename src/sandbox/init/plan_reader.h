// Walks the plan's records. The plan is caissond's own, sealed; it is bounds-checked all the same, since a
// slip here would be made by real root. Pure; also built hosted for the sanitized unit tests.
#ifndef CAISSON_SANDBOX_INIT_PLAN_READER_H_
#define CAISSON_SANDBOX_INIT_PLAN_READER_H_

#include <stddef.h>

#include "sandbox/plan.h"

namespace caisson::init {

struct PlanItem {
  sandbox::PlanRecord type;
  uint32_t flags;
  uint32_t mode;
  const char* path;  // NUL-terminated, or nullptr
  const unsigned char* data;
  uint32_t data_bytes;
};

class PlanReader {
 public:
  PlanReader() = default;
  PlanReader(const unsigned char* bytes, size_t size) : bytes_(bytes), size_(size) {
    const auto* header = reinterpret_cast<const sandbox::PlanHeader*>(bytes);
    valid_ = size >= sizeof *header && header->magic == sandbox::kPlanMagic &&
             header->version == sandbox::kPlanVersion && header->total_bytes == size;
    Rewind();
  }

  bool valid() const { return valid_; }
  void Rewind() { offset_ = sizeof(sandbox::PlanHeader); }

  // The next record; false at kEnd, and at the first malformed one, which makes the reader invalid.
  bool Next(PlanItem& item) {
    if (!valid_) {
      return false;
    }
    if (size_ - offset_ < sizeof(sandbox::PlanRecordHeader)) {
      valid_ = false;
      return false;
    }
    const auto* header = reinterpret_cast<const sandbox::PlanRecordHeader*>(bytes_ + offset_);
    if (header->type == sandbox::PlanRecord::kEnd) {
      return false;
    }
    offset_ += sizeof *header;
    const unsigned char* path = nullptr;
    if (!Take(header->path_bytes, path) || !Take(header->data_bytes, item.data) ||
        (header->path_bytes != 0 && path[header->path_bytes - 1] != 0)) {
      valid_ = false;
      return false;
    }
    item.type = header->type;
    item.flags = header->flags;
    item.mode = header->mode;
    item.path = header->path_bytes == 0 ? nullptr : reinterpret_cast<const char*>(path);
    item.data_bytes = header->data_bytes;
    return true;
  }

 private:
  bool Take(uint32_t size, const unsigned char*& bytes) {
    const size_t padded = (static_cast<size_t>(size) + 7) & ~static_cast<size_t>(7);
    if (padded > size_ - offset_) {
      return false;
    }
    bytes = bytes_ + offset_;
    offset_ += padded;
    return true;
  }

  const unsigned char* bytes_ = nullptr;
  size_t size_ = 0;
  size_t offset_ = 0;
  bool valid_ = false;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_PLAN_READER_H_
