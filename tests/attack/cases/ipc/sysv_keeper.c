/* IPC-02: keeps objects under names that another run knows. */
#include "payload.h"

int main(void) {
  TRY("made", syscall(SYS_shmget, 0x41545443, 4096, 01666));
  struct {
    long flags, maxmsg, msgsize, curmsgs, reserved[4];
  } attributes = {0, 4, 64, 0, {0}};
  TRY("queue", syscall(SYS_mq_open, "caisson-attack", O_CREAT | O_RDWR, 0666, &attributes));
  TRY("posix", open("/dev/shm/caisson-attack", O_CREAT | O_RDWR, 0666));
  wait_for_the_end();
}
