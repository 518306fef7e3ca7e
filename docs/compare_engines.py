#!/usr/bin/env python3
"""Runs engines in turn and prints a Markdown table of medians and ratios.

Each command prints one line of JSON per workload, as `./sluice engine-bench` does: {"workload":
"serve-8", "prefill": .., "decode": .., "all": ..} or {"workload": "prefill-512", "prefill": ..}, in
tokens per second. Engines alternate, and each round begins with another, so that a machine that
slows down is fair to all.

    python3 docs/compare_engines.py --rounds 3 \\
        --engine 'Sluice=./sluice engine-bench --quantization int8' \\
        --engine 'llama.cpp=python3 engine_llama_cpp.py model-Q8_0.gguf' > table.md

The first engine is compared with the best of the others. Needs only Python's standard library. Exit
status: 0 done, 1 if a command failed or printed no figures, 2 usage."""
import argparse
import collections
import json
import os
import shlex
import statistics
import subprocess
import sys

FIGURES = ("prefill", "decode", "all")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    arguments = parser.parse_args()
    engines = dict(engine.split("=", 1) for engine in arguments.engine if "=" in engine)
    if len(engines) != len(arguments.engine):
        parser.error("--engine: expected a name of its own, '=' and a command, each time")
    if arguments.rounds < 1:
        parser.error(f"--rounds: {arguments.rounds} (expected: 1 or more)")

    # workload -> figure -> engine -> a value for each round
    values = collections.defaultdict(
        lambda: collections.defaultdict(lambda: collections.defaultdict(list))
    )
    names = list(engines)
    for number in range(arguments.rounds):
        for i in range(len(names)):
            name = names[(i + number) % len(names)]
            print(f"round {number + 1} of {arguments.rounds}: {name}", file=sys.stderr)
            for line in run(name, engines[name]):
                for figure in FIGURES:
                    if figure in line:
                        values[line["workload"]][figure][name].append(line[figure])
    print_table(names, values, arguments.rounds)


def run(name, command):
    """The lines of JSON that a command prints."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    lines = [line for line in lines if "workload" in line]
    if done.returncode != 0 or not lines:
        sys.exit(f"{name}: exit status {done.returncode}, {len(lines)} figures: {command}")
    return lines


def print_table(names, values, rounds):
    ours, peers = names[0], names[1:]
    median = statistics.median
    print(f"Tokens per second, medians of {rounds} rounds (lowest to highest), {processor()}.\n")
    print(f"| workload | {' | '.join(names)} | {ours} / best of the others |")
    print("|---" * (len(names) + 2) + "|")
    for workload, figures in values.items():
        for figure, by_engine in figures.items():
            cells = []
            for name in names:
                rates = by_engine.get(name)
                cells.append(
                    f"{median(rates):.4g} ({min(rates):.4g} to {max(rates):.4g})" if rates else ""
                )
            best = max((median(by_engine[p]) for p in peers if by_engine.get(p)), default=None)
            ratio = f"{median(by_engine[ours]) / best:.2f}" if best and by_engine.get(ours) else ""
            label = f"{workload} {figure}" if workload.startswith("serve") else workload
            print(f"| {label} | {' | '.join(cells)} | {ratio} |")


def processor():
    """The processor's name and how many there are."""
    name = "unknown processor"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            name = next(
                (line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), name
            )
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} logical processors"


if __name__ == "__main__":
    main()
