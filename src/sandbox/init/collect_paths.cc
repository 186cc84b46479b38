#include "sandbox/init/collect_paths.h"

#include "sandbox/init/heap_sort.h"

namespace caisson::init {

AskedPaths::AskedPaths(BundleReader bundle) {
  BundleItem item{};
  bundle.Rewind();
  while (count_ < wire::kMaxOutputPaths && bundle.Next(item)) {
    if (item.type != wire::BundleRecord::kOutputPath) {
      continue;
    }
    const bool is_box = item.name_bytes == 1 && item.name[0] == '.';
    paths_[count_++] = {item.name, is_box ? 0 : item.name_bytes,
                        is_box || IsSafeRelativePath(item.name, item.name_bytes), false};
  }
  HeapSort(paths_, count_,
           [](const Path& a, const Path& b) { return ComparePaths(a.text, a.bytes, b.text, b.bytes) < 0; });
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    const bool again = kept != 0 && ComparePaths(paths_[i].text, paths_[i].bytes, paths_[kept - 1].text,
                                                 paths_[kept - 1].bytes) == 0;
    if (!again) {
      paths_[kept++] = paths_[i];
    }
  }
  count_ = kept;
}

bool AskedPaths::Meet(const char* text, uint32_t bytes) {
  uint32_t low = 0;
  uint32_t high = count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const int order = ComparePaths(paths_[middle].text, paths_[middle].bytes, text, bytes);
    if (order == 0) {
      paths_[middle].is_met = true;
      return true;
    }
    (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
  }
  return false;
}

}  // namespace caisson::init
