// HTTP/2 frames as bytes, for the tests of the gate.
#ifndef CAISSON_TESTS_UNIT_DISPATCHER_HTTP2_BYTES_H_
#define CAISSON_TESTS_UNIT_DISPATCHER_HTTP2_BYTES_H_

#include <cstdint>
#include <string>

namespace caisson::dispatcher {

inline std::string BigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> static_cast<uint32_t>(shift) & 0xffU);
  }
  return text;
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  return BigEndian(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + BigEndian(stream, 4) + payload;
}

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_UNIT_DISPATCHER_HTTP2_BYTES_H_
