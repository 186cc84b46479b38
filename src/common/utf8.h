// UTF-8 as the Unicode standard has it: what may be text, and how to show bytes that are not. Pure; untrusted
// input.
#ifndef CAISSON_COMMON_UTF8_H_
#define CAISSON_COMMON_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace caisson {

// Bytes of the character at `at`, which is below the text's size; 0 if it is malformed or torn.
size_t Utf8CharacterBytes(std::string_view text, size_t at);

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsValidUtf8(std::string_view text);

// Valid, and without control characters (category Cc).
bool IsPrintableUtf8(std::string_view text);

// Malformed bytes and control characters become \xNN, byte by byte.
std::string EscapeUnprintable(std::string_view text);

// Each malformed byte becomes U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace caisson

#endif  // CAISSON_COMMON_UTF8_H_
