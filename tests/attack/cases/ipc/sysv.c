/* IPC-02: looks for them, and for the host's. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  TRY("segment", syscall(SYS_shmget, 0x41545443, 0, 0));
  TRY("hosts", syscall(SYS_shmget, atol(argv[1]), 0, 0));
  TRY("semaphore", syscall(SYS_semget, atol(argv[1]), 0, 0));
  TRY("queue", syscall(SYS_msgget, atol(argv[1]), 0));
  TRY("posix_queue", syscall(SYS_mq_open, "caisson-attack", O_RDWR, 0, NULL));
  TRY("posix", open("/dev/shm/caisson-attack", O_RDWR));
  TRY("listed", open("/proc/sysvipc/shm", O_RDONLY));
  return 0;
}
