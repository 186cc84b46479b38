#include "dispatcher/frame_reader.h"

#include <algorithm>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

uint32_t BigEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes) {
    value = value << 8U | static_cast<uint8_t>(byte);
  }
  return value;
}

}  // namespace

FrameReader::Next FrameReader::Look(std::string_view bytes) const {
  if (bytes.empty()) {
    return {};
  }
  if (preface_left_ > 0) {
    const size_t count = std::min(preface_left_, bytes.size());
    const bool ours =
        bytes.substr(0, count) == http2::kPreface.substr(http2::kPreface.size() - preface_left_, count);
    return {ours ? Found::kBytes : Found::kNotHttp2, ours ? count : 0, {}};
  }
  if (payload_left_ > 0) {
    return {Found::kBytes, std::min<size_t>(payload_left_, bytes.size()), {}};
  }
  if (bytes.size() < http2::kFrameHeaderBytes) {
    return {};
  }
  FrameHeader frame;
  frame.length = BigEndian(bytes.substr(0, 3));
  frame.type = static_cast<uint8_t>(bytes[3]);
  frame.flags = static_cast<uint8_t>(bytes[4]);
  frame.stream = BigEndian(bytes.substr(5, 4)) & 0x7fffffffU;  // the highest bit is reserved
  return {Found::kFrame, http2::kFrameHeaderBytes, frame};
}

void FrameReader::Skip(size_t bytes) {
  if (preface_left_ > 0) {
    CAISSON_CHECK(bytes <= preface_left_);
    preface_left_ -= bytes;
  } else {
    CAISSON_CHECK(bytes <= payload_left_);
    payload_left_ -= static_cast<uint32_t>(bytes);
  }
}

}  // namespace caisson::dispatcher
