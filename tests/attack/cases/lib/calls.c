/* Makes the system calls that its arguments name, each in a process of its own: NAME NUMBER ARGUMENT... --
 * NAME ... An argument is a number, @page (a zeroed page), @path:TEXT, @root (a descriptor of /) or @self
 * (its own pid). */
#include "payload.h"

static long argument(const char* word) {
  if (strcmp(word, "@page") == 0) {
    return (long)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (strcmp(word, "@root") == 0) return open("/", O_RDONLY | O_DIRECTORY);
  if (strcmp(word, "@self") == 0) return getpid();
  if (strncmp(word, "@path:", 6) == 0) return (long)(word + 6);
  return (long)strtoull(word, NULL, 0);
}

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc;) {
    const char* name = argv[i];
    long number = (long)strtoll(argv[i + 1], NULL, 0);
    long a[6] = {0};
    int count = 0;
    for (i += 2; i < argc && strcmp(argv[i], "--") != 0; ++i) {
      if (count < 6) a[count++] = argument(argv[i]);
    }
    ++i;
    TRY_FORKED(name, syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
  }
  return 0;
}
