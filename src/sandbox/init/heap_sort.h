// Sorting without a library, without recursion and without more memory: the names are a hostile payload's, so
// the worst case counts. Pure; also built hosted for the sanitized unit tests.
#ifndef CAISSON_SANDBOX_INIT_HEAP_SORT_H_
#define CAISSON_SANDBOX_INIT_HEAP_SORT_H_

#include <stdint.h>

namespace caisson::init {

// Orders `count` items by `less(a, b)` in at most 2 n log n comparisons.
template <class Item, class Less>
void HeapSort(Item* items, uint32_t count, Less less) {
  const auto sink = [items, &less](uint32_t at, uint32_t end) {
    const Item sinking = items[at];
    for (uint32_t child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && less(items[child], items[child + 1])) {
        ++child;
      }
      if (!less(sinking, items[child])) {
        break;
      }
      items[at] = items[child];
      at = child;
    }
    items[at] = sinking;
  };
  for (uint32_t i = count / 2; i > 0; --i) {
    sink(i - 1, count);
  }
  for (uint32_t end = count; end > 1; --end) {
    const Item largest = items[0];
    items[0] = items[end - 1];
    items[end - 1] = largest;
    sink(0, end - 1);
  }
}

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_HEAP_SORT_H_
