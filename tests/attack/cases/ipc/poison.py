"""IPC-09: code where the next program might load it."""

import os

from payload import attempt

CODE = "raise SystemExit('poisoned')\n"


def write(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(CODE)


attempt("dist_packages", lambda: write("/usr/lib/python3/dist-packages/sitecustomize.py"))
attempt("pycache", lambda: write("/usr/lib/python3.11/__pycache__/json.cpython-311.pyc"))
attempt("usr_local", lambda: write("/usr/local/lib/python3.11/dist-packages/usercustomize.py"))
attempt("ld_cache", lambda: write("/etc/ld.so.cache"))
attempt("home_site", lambda: write("/box/.local/lib/python3.11/site-packages/usercustomize.py"))
attempt("home_cache", lambda: write("/box/.cache/attack"))
