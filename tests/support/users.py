"""The system users that daemon and doors become."""

import pwd
import subprocess

from support.environment import REPOSITORY


def ensure_user(name="caisson"):
    """All of them are made if this one is missing, as by `make run`."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run([REPOSITORY / "tools" / "ensure_user.sh"], check=True)
