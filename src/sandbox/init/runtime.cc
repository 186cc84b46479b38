// What a compiler expects of a freestanding program: the entry point and the four memory functions.
#include <stddef.h>

namespace caisson::init {
[[noreturn]] void Main();
}  // namespace caisson::init

extern "C" {

// The kernel enters with the stack pointer at argc; the psABI wants it 16-byte aligned before a call.
asm(R"(
.globl _start
.type _start, @function
_start:
  xor %ebp, %ebp
  and $-16, %rsp
  call caisson_init_entry
  ud2
)");

[[noreturn]] void caisson_init_entry() { caisson::init::Main(); }

void* memcpy(void* __restrict target, const void* __restrict source, size_t size) {
  void* const result = target;
  asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  return result;
}

void* memmove(void* target, const void* source, size_t size) {
  auto* to = static_cast<unsigned char*>(target);
  const auto* from = static_cast<const unsigned char*>(source);
  if (to <= from || to >= from + size) {
    return memcpy(target, source, size);
  }
  while (size-- > 0) {
    to[size] = from[size];
  }
  return target;
}

void* memset(void* target, int value, size_t size) {
  void* const result = target;
  asm volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(value) : "memory");
  return result;
}

int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) {
      return a[i] < b[i] ? -1 : 1;
    }
  }
  return 0;
}

}  // extern "C"
