/* RES-20 */
#include <alloca.h>

#include "payload.h"

static long deeper(long depth) {
  volatile char room[4096];
  room[0] = (char)depth;
  return depth == 0 ? 0 : deeper(depth - 1) + room[0];
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  if (strcmp(argv[1], "recursion") == 0) say("got", "%ld", deeper(1L << 40));
  if (strcmp(argv[1], "alloca") == 0) memset(alloca(1UL << 30), 1, 1UL << 30);
  size_t size = 130000, count = 200;
  char** words = calloc(count + 2, sizeof *words);
  for (size_t i = 0; i < count; ++i) {
    words[i] = malloc(size);
    memset(words[i], 'a', size - 1);
    words[i][size - 1] = '\0';
  }
  char* const none[] = {NULL};
  int environment = strcmp(argv[1], "environment") == 0;
  TRY("exec", execve(argv[0], environment ? none : words, environment ? words : none));
  return 0;
}
