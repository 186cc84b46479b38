/* CMP-08: linked with sources of strange names. */
#include <stdio.h>

extern int minus_o, plugin, at, shell, wrapper;

int main(void) {
  printf("sum %d\n", minus_o + plugin + at + shell + wrapper);
  return 0;
}
