/* RES-28 */
#include <sys/prctl.h>

#include "payload.h"

int main(void) {
  size_t pages = 200000;
  char* memory = mmap(NULL, pages * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  long mappings = 0;
  int error = 0;
  for (size_t i = 0; i < pages; i += 2) {
    if (mprotect(memory + i * 4096, 4096, PROT_READ | PROT_WRITE) != 0) {
      error = errno;
      break;
    }
    char name[80];
    snprintf(name, sizeof name, "attack %zu, a name that no other mapping has, as long as it may be, %zu", i,
             i);
    prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory + i * 4096, 4096, name);
    ++mappings;
  }
  say("mappings", "%ld", mappings);
  say("then", "%s", error == 0 ? "no end" : strerrorname_np(error));
  return 0;
}
