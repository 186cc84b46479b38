#include "sandbox/init/collect_listing.h"

#include "sandbox/init/heap_sort.h"
#include "sandbox/init/text.h"

namespace caisson::init {
namespace {

// As getdents64(2) writes it; the name and its NUL follow.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t record_bytes;
  uint8_t type;
};
constexpr uint64_t kNameAt = 19;

int CompareText(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
}

}  // namespace

bool Listings::Add(List& list, const unsigned char* entries, uint64_t size) {
  for (uint64_t at = 0; at < size;) {
    Entry entry{};
    if (size - at <= kNameAt) {
      return false;
    }
    __builtin_memcpy(&entry, entries + at, kNameAt);
    if (entry.record_bytes <= kNameAt || entry.record_bytes > size - at) {
      return false;
    }
    const char* name = reinterpret_cast<const char*>(entries + at + kNameAt);
    const uint64_t room = entry.record_bytes - kNameAt;
    uint32_t bytes = 0;
    while (bytes < room && name[bytes] != '\0') {
      ++bytes;
    }
    if (bytes == room || (!Equal(name, ".") && !Equal(name, "..") && !Put(list, name, bytes))) {
      return false;
    }
    at += entry.record_bytes;
  }
  return true;
}

bool Listings::Put(List& list, const char* name, uint32_t bytes) {
  if (names_ == kMaxNames || kMaxNameBytes - bytes_ <= bytes) {
    return false;
  }
  __builtin_memcpy(text_ + bytes_, name, bytes + 1UL);
  offsets_[names_++] = bytes_;
  bytes_ += bytes + 1;
  ++list.count;
  return true;
}

void Listings::Sort(const List& list) {
  HeapSort(offsets_ + list.first, list.count,
           [this](uint32_t a, uint32_t b) { return CompareText(text_ + a, text_ + b) < 0; });
}

}  // namespace caisson::init
