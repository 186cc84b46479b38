// Appends plan records to a buffer, in the layout of plan.h.
#ifndef CAISSON_SANDBOX_PLAN_WRITER_H_
#define CAISSON_SANDBOX_PLAN_WRITER_H_

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "sandbox/plan.h"

namespace caisson::sandbox {

class PlanWriter {
 public:
  PlanWriter() { bytes_.resize(sizeof(PlanHeader)); }

  struct Fields {
    uint32_t flags = 0;
    uint32_t mode = 0;
    std::string path;  // empty: none
  };

  void Add(PlanRecord type, const Fields& fields, std::span<const std::byte> data = {}) {
    PlanRecordHeader header{};
    header.type = type;
    header.flags = fields.flags;
    header.mode = fields.mode;
    header.path_bytes = fields.path.empty() ? 0 : static_cast<uint32_t>(fields.path.size() + 1);
    header.data_bytes = static_cast<uint32_t>(data.size());
    Append(std::as_bytes(std::span(&header, 1)));
    if (!fields.path.empty()) {
      Append(std::as_bytes(std::span(fields.path.c_str(), fields.path.size() + 1)));
    }
    Append(data);
  }
  // `data` as text, with its NUL.
  void AddText(PlanRecord type, const Fields& fields, const std::string& data) {
    Add(type, fields, std::as_bytes(std::span(data.c_str(), data.size() + 1)));
  }
  template <class T>
  void AddStruct(PlanRecord type, const Fields& fields, const T& data) {
    Add(type, fields, std::as_bytes(std::span(&data, 1)));
  }

  // The finished plan; the writer is empty afterwards.
  std::vector<std::byte> Finish() {
    Add(PlanRecord::kEnd, {});
    const PlanHeader header{kPlanMagic, kPlanVersion, static_cast<uint32_t>(bytes_.size()), 0};
    std::memcpy(bytes_.data(), &header, sizeof header);
    return std::move(bytes_);
  }

 private:
  void Append(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    bytes_.resize((bytes_.size() + 7) & ~size_t{7});
  }

  std::vector<std::byte> bytes_;
};

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_PLAN_WRITER_H_
