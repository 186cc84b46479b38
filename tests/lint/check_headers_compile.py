#!/usr/bin/python3
"""check_headers_compile.py BUILD_DIR [HEADER...]: compiles each header of src/ alone, twice in one file (the guard).

What was compiled after the last change of any header is not compiled again.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

from lint_support import ROOT, files, finish

# clang's and gcc's own warnings are the build's business; here only completeness counts.
FLAGS = ["-std=c++20", "-D_GNU_SOURCE", "-O0", "-w", "-c", "-pipe"]
FREESTANDING = ["-ffreestanding", "-fno-exceptions", "-fno-rtti", "-nostdinc++"]
PARALLEL = 2


def is_freestanding(header):
    return header.is_relative_to("src/sandbox/init") or header.name == "run_streams.h"


def compile_alone(header, build, launcher, last_change):
    """The compiler's complaint about the header, or None."""
    name = str(header).replace("/", "_")
    source = build / "lint" / "headers" / f"{name}.cc"
    text = f'#include "{header.relative_to("src")}"\n' * 2
    if not source.exists() or source.read_text() != text:
        source.write_text(text)
    compiled = source.with_suffix(".o")
    if compiled.exists() and compiled.stat().st_mtime > last_change:
        return None
    command = [*launcher, os.environ.get("CXX", "g++"), *FLAGS, "-I", str(ROOT / "src"),
               "-isystem", str(build / "proto" / "generated")]
    if is_freestanding(header):
        command += FREESTANDING
    result = subprocess.run([*command, str(source), "-o", str(compiled)],
                            capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    lines = [line for line in result.stderr.splitlines() if "error" in line]
    return f"{header} does not compile alone: {(lines or [result.stderr.strip()])[0]}"


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: check_headers_compile.py BUILD_DIR [HEADER...]")
    build = pathlib.Path(sys.argv[1]).resolve()
    headers = [pathlib.Path(name) for name in sys.argv[2:]] or files(["src"], {".h"})
    (build / "lint" / "headers").mkdir(parents=True, exist_ok=True)
    launcher = ["ccache"] if shutil.which("ccache") else []
    generated = (build / "proto" / "generated").rglob("*.h")
    last_change = max(path.stat().st_mtime for path in [pathlib.Path(__file__), *generated,
                                                        *(ROOT / header for header in files(["src"], {".h"}))])
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        complaints = list(pool.map(lambda header: compile_alone(header, build, launcher, last_change), headers))
    finish("check_headers_compile", len(headers), [complaint for complaint in complaints if complaint])


if __name__ == "__main__":
    main()
