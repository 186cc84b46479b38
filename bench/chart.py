#!/usr/bin/python3
"""Draws where the time of a call goes, from what `caisson-bench --json FILE` kept: chart.py FILE PNG.

Two bars a work: the bare process with an empty gRPC call, which nothing can go below, and Caisson's call in its parts, each
part's share of all calls. Needs python3-matplotlib.
"""

import argparse
import json
import pathlib

PARTS = ("queue", "setup", "start", "run", "teardown", "rest")


def draw(result, path):
    import matplotlib  # only here, so that --help works without it; pylint: disable=import-outside-toplevel
    matplotlib.use("Agg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
    works = result["latency"]
    figure, axes = pyplot.subplots(1, len(works), figsize=(5 * len(works), 4.5))
    for axis, work in zip(axes if len(works) > 1 else [axes], works):
        bare, floor, call = (work[side]["p50_us"] / 1000 for side in ("bare", "floor", "call"))
        axis.bar("floor", bare, color="#888888", label="bare process")
        axis.bar("floor", floor - bare, bottom=bare, color="#cccccc", label="an empty call")
        bottom = 0
        for part in PARTS:
            height = call * work["parts"][part]["share"]
            axis.bar("call", height, bottom=bottom, label=part)
            bottom += height
        axis.set_title(f"{work['work']}\n{work['ratio_p50']:.2f} of the bare process at p50", fontsize=10)
        axis.set_ylabel("ms")
        axis.legend(fontsize=8)
    figure.suptitle(f"{result['processor']}, {result['cpus']} CPUs, Linux {result['kernel']}, {result['time'][:10]}", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=80, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=pathlib.Path, help="of caisson-bench --json")
    parser.add_argument("png", type=pathlib.Path)
    options = parser.parse_args()
    draw(json.loads(options.result.read_text(encoding="utf-8")), options.png)


if __name__ == "__main__":
    main()
