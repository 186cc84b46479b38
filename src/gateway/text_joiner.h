// Puts together the characters that chunk edges have cut, one joiner for each stream, so that what is UTF-8
// can be told as text and what is not as bytes. Pure. Untrusted: every byte, a payload's.
#ifndef CAISSON_GATEWAY_TEXT_JOINER_H_
#define CAISSON_GATEWAY_TEXT_JOINER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace caisson::gateway {

class TextJoiner {
 public:
  struct Piece {
    std::string bytes;
    bool is_text = false;  // all of it is UTF-8
  };

  // What can be told now: what was held back, then `data` but for the beginning of a character at its end,
  // which is held back (at most 3 bytes).
  Piece Take(std::string_view data);
  // The stream is over: what is still held back, which is no character.
  Piece Finish();
  size_t held_bytes() const { return held_.size(); }

 private:
  std::string held_;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_TEXT_JOINER_H_
