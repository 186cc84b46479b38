#!/usr/bin/python3
"""run_tests.py [--screenshots DIRECTORY] [FILE...]: the TypeScript client, in Node, and the playground, in Debian's Chromium.

Starts a daemon and a gateway of its own, runs the tests of this folder (or the FILEs) with Node's own runner, and passes its words and
exit code on. Needs root, a finished build, and the target `playground`.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support.daemon import Daemon  # noqa: E402 pylint: disable=wrong-import-position
from support.environment import BIN_DIR, scaled  # noqa: E402 pylint: disable=wrong-import-position
from support.gateway import Gateway  # noqa: E402 pylint: disable=wrong-import-position
from support.tokens import Tokens  # noqa: E402 pylint: disable=wrong-import-position

PAGE = BIN_DIR.parent / "playground"


def main():
    # So that daemon and gateway end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screenshots", type=pathlib.Path, help="write pictures for docs/gallery.md there")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    if not (PAGE / "index.html").exists():
        sys.exit(f"{PAGE}/index.html is missing; build the target `playground`")
    files = options.files or sorted(HERE.glob("*/*.test.mjs"))
    environment = {**os.environ, "CAISSON_TEST_PATIENCE": str(scaled(1))}
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
        environment["CAISSON_SCREENSHOTS"] = str(options.screenshots.resolve())
    guarded = Daemon(profiles=["python"])
    tokens = Tokens(guarded, mode="0666")
    environment["CAISSON_TOKEN"] = tokens.add("alpha")
    tokens.write()
    with Daemon() as daemon, guarded, Gateway(daemon.address, "--playground", str(PAGE)) as gateway, \
            Gateway(tokens.address, "--playground", str(PAGE)) as token_gateway:
        environment["CAISSON_GATEWAY"] = f"http://127.0.0.1:{gateway.port}"
        environment["CAISSON_TOKEN_GATEWAY"] = f"http://127.0.0.1:{token_gateway.port}"
        code = subprocess.run(["node", "--test", *map(str, files)], env=environment, check=False).returncode
        left = not daemon.runs_are_gone()
        if left:
            print("runs are still there after the tests", file=sys.stderr)
        errors = [line for line in gateway.log if " error " in line or " critical " in line]
        sys.stderr.writelines(errors)
        return 1 if left or errors else code


if __name__ == "__main__":
    sys.exit(main())
