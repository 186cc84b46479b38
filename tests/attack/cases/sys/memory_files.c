/* SYS-30: files that are in no file system. */
#include "payload.h"

int main(int argc, char** argv) {
  (void)argc;
  char* const none[] = {NULL};
  TRY("memfd_create", syscall(SYS_memfd_create, "attack", 0));
  TRY("memfd_huge", syscall(SYS_memfd_create, "attack", MFD_HUGETLB));
  TRY("memfd_secret", syscall(447, 0));
  TRY("execveat", syscall(SYS_execveat, open(argv[0], O_RDONLY), "", none, none, AT_EMPTY_PATH));
  TRY("execveat_path", syscall(SYS_execveat, AT_FDCWD, "/usr/bin/true", none, none, 0));
  return 0;
}
