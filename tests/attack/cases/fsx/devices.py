"""FSX-12: /dev, and devices by their usual names."""

import os
import stat

from payload import say

NAMES = ["sda", "vda", "nvme0n1", "mem", "kmem", "port", "kvm", "fuse", "net/tun", "loop0", "loop-control", "vsock", "vhost-net", "console",
         "tty", "tty0", "ptmx", "pts/ptmx", "hpet", "rtc0", "uinput", "userfaultfd", "dri/card0", "kmsg", "cpu/0/msr", "mapper/control",
         "btrfs-control", "autofs", "snapshot", "watchdog", "ppp", "vfio/vfio", "mqueue", "hugepages", "cpu_dma_latency", "udmabuf", "dma_heap/system"]

say("dev", " ".join(sorted(os.listdir("/dev"))))
opened = []
for name in NAMES:
    try:
        os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK))
        opened.append(name)
    except OSError:
        pass
say("opened", opened or "none")
kinds = {stat.filemode(os.lstat(f"/dev/{name}").st_mode)[0] for name in ("null", "zero", "full", "random", "urandom")}
say("kinds", " ".join(sorted(kinds)))
