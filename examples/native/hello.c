// A native program: compile it, send the ELF. `cc -O2 -o hello hello.c && caisson run --profile native ./hello world`
#include <stdio.h>
#include <unistd.h>

int main(int argc, char** argv) {
  printf("Hello, %s, from process %d of a namespace of its own.\n", argc > 1 ? argv[1] : "you", (int)getpid());
  return 0;
}
