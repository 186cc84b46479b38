// The names in the directories that the collector is in, one list on top of the other, within fixed memory.
// Pure; also built hosted for the sanitized unit tests.
//
// Input: names that a hostile payload chose, as the kernel gives them.
#ifndef CAISSON_SANDBOX_INIT_COLLECT_LISTING_H_
#define CAISSON_SANDBOX_INIT_COLLECT_LISTING_H_

#include <stdint.h>

namespace caisson::init {

class Listings {
 public:
  static constexpr uint32_t kMaxNames = 32'768;          // of all directories on the way together
  static constexpr uint32_t kMaxNameBytes = 512 * 1024;  // likewise, each with its NUL

  // One directory's part.
  struct List {
    uint32_t first;
    uint32_t count;
    uint32_t bytes_begin;
  };

  // Before the first use.
  void Clear() { names_ = bytes_ = 0; }
  // Begins a list on top.
  List Open() const { return {names_, 0, bytes_}; }
  // Adds what one getdents64(2) gave, all but "." and "..". False when there is no room for more, and for a
  // record that does not fit into `size`.
  bool Add(List& list, const unsigned char* entries, uint64_t size);
  // By bytes, so that a tree is walked in the same order wherever it lies.
  void Sort(const List& list);
  // NUL-terminated. `index` below list.count.
  const char* Name(const List& list, uint32_t index) const { return text_ + offsets_[list.first + index]; }
  // The topmost list is not needed any more.
  void Close(const List& list) {
    names_ = list.first;
    bytes_ = list.bytes_begin;
  }

 private:
  bool Put(List& list, const char* name, uint32_t bytes);

  uint32_t names_;
  uint32_t bytes_;
  uint32_t offsets_[kMaxNames];
  char text_[kMaxNameBytes];
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_COLLECT_LISTING_H_
