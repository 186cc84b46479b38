#include <stdio.h>
#include <stdlib.h>

static void leaving(void) { puts("leaving"); }

int main(void) {
  atexit(leaving);
  return 7;
}
