#!/usr/bin/env python3
"""Measures how long router and worker take to start, with and without the cache of loaded classes.

    python3 docs/measure_startup.py [--launcher ./sluice] [--repeat 7] [--model smollm2-135m]

From the start of the launcher to `listens on` (router) and `ready after` (worker, weights converted by an
earlier run) in the log: medians, in seconds, of the time on the clock and of the CPU time until then. The
two ways take turns. The time on the clock needs an otherwise idle machine. Prints Markdown; exit status 1
if a process did not start. Linux only; needs Python's standard library."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROLES = {
    "router": ("listens on", ["--http-port", "0"]),
    "worker": ("ready after", []),
}
TARGETS = {"router": 1.0, "worker": 3.0}


def start(launcher, role, flags, cached):
    """Seconds on the clock and of CPU until a process is ready, which is then ended."""
    word, own = ROLES[role]
    environment = dict(os.environ)
    if not cached:
        environment["SLUICE_AOT_DIR"] = os.path.join(tempfile.gettempdir(), "sluice-no-cache")
    begin = time.monotonic()
    process = subprocess.Popen(
        [launcher, role, "--port", "0", "--telemetry.metrics-port", "0", *own, *flags],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment,
    )
    lines = []
    for line in process.stderr:
        lines.append(line)
        if word in line:
            seconds = time.monotonic() - begin
            with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            # the launcher has become the process, so its own time is in it
            cpu = sum(int(fields[i]) for i in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")
            process.kill()
            process.communicate()
            return seconds, cpu
    sys.exit("".join(lines) + f"{role} ended before it was ready")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", default="./sluice")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--model", default="smollm2-135m")
    options = parser.parse_args()
    subprocess.run([options.launcher, "aot"], check=True, stdout=subprocess.DEVNULL)
    print(f"Load of the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; median of {options.repeat}.\n")
    print("| | with cache, s | CPU, s | without, s | CPU, s | goal, s |\n|---|---|---|---|---|---|")
    for role in ROLES:
        flags = ["--model", options.model] if role == "worker" else []
        start(options.launcher, role, flags, True)  # converts the weights, warms the file cache
        times = {True: [], False: []}
        for _ in range(options.repeat):
            for cached in (True, False):
                times[cached].append(start(options.launcher, role, flags, cached))
        medians = [statistics.median(column) for cached in (True, False) for column in zip(*times[cached])]
        print(f"| {role} ready | " + " | ".join(f"{median:.2f}" for median in medians) + f" | {TARGETS[role]:.0f} |")


if __name__ == "__main__":
    main()
