#include <math.h>
#include <stdio.h>

#include "parts/part.h"

int main(int argc, char** argv) {
  (void)argv;
  printf("%d words, part of %.0f\n", argc, sqrt(part() * part()));
  return 0;
}
