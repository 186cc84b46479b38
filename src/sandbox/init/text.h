// The little text handling caisson-init needs. Pure; also built hosted for the sanitized unit tests.
#ifndef CAISSON_SANDBOX_INIT_TEXT_H_
#define CAISSON_SANDBOX_INIT_TEXT_H_

#include <stddef.h>
#include <stdint.h>

namespace caisson::init {

inline size_t Length(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  return length;
}

inline bool StartsWith(const char* text, const char* prefix) {
  for (; *prefix != '\0'; ++text, ++prefix) {
    if (*text != *prefix) {
      return false;
    }
  }
  return true;
}

inline bool Equal(const char* a, const char* b) { return StartsWith(a, b) && Length(a) == Length(b); }

// Text of bounded length in place; what does not fit makes it broken rather than cut.
template <size_t kCapacity>
class FixedText {
 public:
  FixedText& Append(const char* text) {
    for (; *text != '\0'; ++text) {
      Put(*text);
    }
    return *this;
  }
  FixedText& Append(uint64_t number) {
    char digits[20];
    size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count > 0) {
      Put(digits[--count]);
    }
    return *this;
  }
  bool ok() const { return !broken_; }
  const char* c_str() const { return text_; }

 private:
  void Put(char c) {
    if (length_ + 1 >= kCapacity) {
      broken_ = true;
      return;
    }
    text_[length_++] = c;
    text_[length_] = '\0';
  }

  char text_[kCapacity] = {};
  size_t length_ = 0;
  bool broken_ = false;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_TEXT_H_
