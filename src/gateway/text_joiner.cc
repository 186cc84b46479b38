#include "gateway/text_joiner.h"

#include <cstdint>
#include <utility>

#include "common/utf8.h"

namespace caisson::gateway {
namespace {

// How many bytes a character has that begins with `lead`; 1 for what begins none of more.
size_t BytesOf(uint8_t lead) {
  if (lead >= 0xf0 && lead <= 0xf4) {
    return 4;
  }
  if (lead >= 0xe0 && lead < 0xf0) {
    return 3;
  }
  return lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

// Whether bytes may follow that make `tail` a character.
bool MayBecomeCharacter(std::string_view tail) {
  const size_t bytes = BytesOf(static_cast<uint8_t>(tail.front()));
  if (bytes <= tail.size()) {
    return false;
  }
  // Some second bytes are ruled out; later ones never are. Both ends of the range are tried.
  for (const char filler : {'\x80', '\xbf'}) {
    std::string whole(tail);
    whole.append(bytes - tail.size(), filler);
    if (Utf8CharacterBytes(whole, 0) == bytes) {
      return true;
    }
  }
  return false;
}

// Bytes at the end of `text` that begin a character.
size_t TornBytes(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if ((byte & 0xc0U) != 0x80U) {  // no continuation: a character begins here, or none does
      return MayBecomeCharacter(text.substr(text.size() - back)) ? back : 0;
    }
  }
  return 0;
}

}  // namespace

TextJoiner::Piece TextJoiner::Take(std::string_view data) {
  Piece piece;
  piece.bytes = std::exchange(held_, {});
  piece.bytes += data;
  const size_t torn = TornBytes(piece.bytes);
  held_ = piece.bytes.substr(piece.bytes.size() - torn);
  piece.bytes.resize(piece.bytes.size() - torn);
  piece.is_text = IsValidUtf8(piece.bytes);
  return piece;
}

TextJoiner::Piece TextJoiner::Finish() { return {std::exchange(held_, {}), false}; }

}  // namespace caisson::gateway
