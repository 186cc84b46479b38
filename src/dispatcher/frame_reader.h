// Where the frames of one direction of an HTTP/2 connection begin (RFC 9113, section 4.1), and nothing about
// what is in them. Pure. Untrusted: every byte is the client's.
#ifndef CAISSON_DISPATCHER_FRAME_READER_H_
#define CAISSON_DISPATCHER_FRAME_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace caisson::dispatcher {

struct FrameHeader {
  uint32_t length = 0;  // of the payload
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
};

namespace http2 {
inline constexpr uint8_t kData = 0;
inline constexpr uint8_t kHeaders = 1;
inline constexpr uint8_t kRstStream = 3;
inline constexpr uint8_t kSettings = 4;
inline constexpr uint8_t kPing = 6;
inline constexpr uint8_t kContinuation = 9;
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr size_t kFrameHeaderBytes = 9;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
}  // namespace http2

class FrameReader {
 public:
  // A client begins with the preface, a server with a frame.
  explicit FrameReader(bool expects_preface) : preface_left_(expects_preface ? http2::kPreface.size() : 0) {}

  // What Next found at the beginning of the bytes it was given.
  enum class Found {
    kBytes,      // `bytes` of the preface or of a payload
    kFrame,      // a frame header; Accept() it and ask again, with the bytes after it
    kNeedsMore,  // neither: more bytes have to come
    kNotHttp2,   // what stands where the preface should is another thing
  };
  struct Next {
    Found found = Found::kNeedsMore;
    size_t bytes = 0;
    FrameHeader frame;
  };
  Next Look(std::string_view bytes) const;

  // `bytes` of a kBytes are behind us.
  void Skip(size_t bytes);
  // The header of a kFrame is behind us, and its payload comes.
  void Accept(const FrameHeader& frame) { payload_left_ = frame.length; }

  bool preface_seen() const { return preface_left_ == 0; }

 private:
  size_t preface_left_;
  uint32_t payload_left_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FRAME_READER_H_
