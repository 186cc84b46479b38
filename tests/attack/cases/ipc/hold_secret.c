/* IPC-06: a run with a secret in its arguments, environment, memory and files. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  int file = open("/tmp/secret", O_CREAT | O_WRONLY, 0666);
  if (write(file, argv[1], strlen(argv[1])) < 0) return 1;
  wait_for_the_end();
}
