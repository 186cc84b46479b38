/* RES-32: what reaches the host's disk and page cache through a file that may only be read. */
#include "payload.h"

int main(void) {
  int fd = open("/usr/bin/python3.11", O_RDONLY);
  if (fd < 0) fd = open("/usr/bin/env", O_RDONLY);
  struct stat info;
  fstat(fd, &info);
  size_t size = (size_t)info.st_size;
  char* mapped = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  TRY("fsync", fsync(fd));
  TRY("fdatasync", fdatasync(fd));
  TRY("sync_file_range", sync_file_range(fd, 0, 0, 7));
  TRY("msync", msync(mapped, size, MS_SYNC));
  TRY("direct_open", open("/usr/bin/env", O_RDONLY | O_DIRECT));
  TRY("direct_later", fcntl(fd, F_SETFL, O_DIRECT));
  TRY("dsync_write", open("/box/f", O_CREAT | O_WRONLY | O_DSYNC | O_SYNC, 0600));
  munmap(mapped, size);
  TRY("drop", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 ? 0 : -1);
  mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  unsigned char resident[1];
  TRY("mincore", mincore(mapped, 4096, resident));
  TRY("readahead", readahead(fd, 0, size));
  TRY("madvise_pageout", madvise(mapped, 4096, 21));
  TRY("madvise_cold", madvise(mapped, 4096, 20));
  return 0;
}
