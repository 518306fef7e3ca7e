#!/usr/bin/env python3
"""Measures what scheduling promises, on one worker and this machine, and prints Markdown.

    python3 docs/measure_scheduling.py [--launcher ./sluice] [SCENARIO ...]

fairness  one tenant sends 100 prompts of 2,048 tokens at once, another small ones one by one; time to
          first token of the second, alone and beside the first, with --scheduling fair and fcfs
itl       8 streams run while prompts of 4,096 tokens come one after the other; their inter-token
          latency for goals of 50, 100 and 200 ms, and all tokens per second against no goal; each worker
          has had the same load for two minutes, until its compiler has little left to do
prefix    64 requests with a system prompt of 1,024 tokens, prefix cache on and off
overload  requests at a half, once and four times what the worker can do, for 3 minutes each;
          those that met their time to first token

The load generators run at nice 10: in a deployment clients have processors of their own, here they share
the worker's. Starts workers of its own on free ports, with the default model, and stops them. Needs only Python's
standard library. Exit status: 0 done, 1 if a command failed, 2 usage."""
import argparse
import os
import sys
import tempfile
import time

from _processes import Process, finish_bench, row, start_bench

LAUNCHER = "./sluice"


class Worker:
    """A worker process; `target` is where it listens."""

    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory()
        ports = os.path.join(self.folder.name, "ports")
        self.process = Process(
            self.folder.name, "worker",
            [LAUNCHER, "worker", "--port", "0", "--telemetry.metrics-port", "0", "--port-file", ports, *flags],
        )
        self.process.await_written(" ready after ")
        with open(ports) as lines:
            values = dict(line.strip().split("=", 1) for line in lines if "=" in line)
        self.target = f"127.0.0.1:{values['grpc']}"

    def compiler_seconds(self):
        return self.process.cpu_seconds("C1 ", "C2 ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        self.folder.cleanup()


def start(worker, *flags):
    return start_bench(LAUNCHER, "--target", worker.target, *flags, nice=10)


def bench(worker, *flags):
    return finish_bench(start(worker, *flags))


def header(*cells):
    row(*cells)
    row(*("---" for _ in cells))


def fairness():
    print("\n### Fairness: one tenant sends 100 prompts of 2,048 tokens\n")
    small = ("--tenant", "small", "-c", 1, "-n", 20, "--input-len", 64, "--output-len", 16)
    header("scheduling", "TTFT p95 alone", "beside the flood", "ITL p95 beside the flood")
    for policy in ("fair", "fcfs"):
        with Worker("--scheduling", policy, "--itl-goal", "50ms") as worker:
            bench(worker, *small)  # the compiler settles
            alone = bench(worker, *small)
            flood = start(
                worker, "--tenant", "flood", "-c", 100, "-n", 100, "--warm-up", 0,
                "--input-len", 2048, "--output-len", 32,
            )
            time.sleep(5)  # until all of it is queued: sending takes a second
            beside = bench(worker, "--warm-up", 0, *small)
            flood.terminate()
            flood.communicate()
        row(policy, ms(alone["p95_ttft_ms"]), ms(beside["p95_ttft_ms"]), ms(beside["p95_itl_ms"]))


def itl():
    print("\n### Inter-token latency of 8 streams while prompts of 4,096 tokens come\n")
    header("goal", "ITL p50", "p99", "p99 / goal", "tokens/s, prompt and output", "of no goal",
           "worker's compiler, CPU")
    base = None
    for goal in (None, 50, 100, 200):
        flags = ("--itl-goal", f"{goal}ms") if goal else ()
        with Worker("--kv-cache.prefix-cache", "false", *flags) as worker:
            bench(worker, "-c", 8, "-n", 16, "--input-len", 64, "--output-len", 32)
            bench(worker, "-c", 2, "-n", 3, "--input-len", 4096, "--output-len", 1)
            streams_and_prompts(worker, "120s")  # the compiler settles
            before = worker.compiler_seconds()
            runs = streams_and_prompts(worker, "60s")
            compiled = worker.compiler_seconds() - before
        rate = sum(
            (run["total_input_tokens"] + run["total_output_tokens"]) / run["duration"]
            for run in runs
        )
        base = base or rate
        streams = runs[0]
        p99 = streams["p99_itl_ms"]
        row(
            f"{goal} ms" if goal else "none", ms(streams["median_itl_ms"]), ms(p99),
            f"{p99 / goal:.2f}" if goal else "", f"{rate:.0f}", f"{rate / base:.2f}", f"{compiled:.1f} s",
        )


def streams_and_prompts(worker, duration):
    """8 streams, and prompts of 4,096 tokens beside them: the results of both."""
    long = ("--duration", duration, "-n", 1000, "--warm-up", 0)
    prompts = start(worker, *long, "-c", 2, "--input-len", 4096, "--output-len", 1)
    streams = bench(worker, *long, "-c", 8, "--input-len", 64, "--output-len", 256)
    return streams, finish_bench(prompts)


def prefix():
    print("\n### 64 requests with one system prompt of 1,024 tokens\n")
    header("prefix cache", "prompt tokens", "computed", "computed / unique", "TTFT p50", "p99")
    for on in ("false", "true"):
        with Worker("--kv-cache.prefix-cache", on) as worker:
            bench(worker, "-c", 8, "-n", 16, "--input-len", 256, "--output-len", 16)
            run = bench(
                worker, "--workload", "shared-prefix", "-n", 64, "-c", 8, "--prefix-len", 1024,
                "--input-len", 32, "--output-len", 16, "--warm-up", 0,
            )
        computed = run["total_input_tokens"] - run["total_cached_tokens"]
        row(
            "on" if on == "true" else "off", run["total_input_tokens"], computed,
            f"{computed / (1024 + 64 * 32):.2f}", ms(run["median_ttft_ms"]), ms(run["p99_ttft_ms"]),
        )


def overload():
    print("\n### Overload: 256 prompt and 32 output tokens, TTFT target 2 s\n")
    sizes = ("--input-len", 256, "--output-len", 32)
    with Worker("--kv-cache.prefix-cache", "false") as worker:  # every run sends the same prompts
        capacity = bench(worker, *sizes, "-c", 32, "-n", 10000, "--duration", "45s")["request_throughput"]
        print(f"Capacity in a closed loop of 32: {capacity:.2f} requests/s.\n")
        header("rate / capacity", "sent", "completed", "refused", "good per second", "TTFT p50", "p99")
        for factor in (0.5, 0.8, 1, 4):
            run = bench(
                worker, *sizes, "-r", capacity * factor, "-n", 100000, "--duration", "3m",
                "--warm-up", 0, "--ttft-target", "2s", "--timeout", "20s", "--goodput", "ttft:2000,e2el:20000",
            )
            row(
                factor, run["completed"] + run["failed"], run["completed"], run["failed"],
                f"{run['request_goodput']:.2f}", ms(run["median_ttft_ms"]), ms(run["p99_ttft_ms"]),
            )
            for reason, count in run["errors"].items():
                print(f"{factor}: {count} {reason}", file=sys.stderr)


def ms(value):
    return f"{value:.0f} ms"


SCENARIOS = {scenario.__name__: scenario for scenario in (fairness, itl, prefix, overload)}


def main():
    global LAUNCHER
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--launcher", default=LAUNCHER, metavar="FILE")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    arguments = parser.parse_args()
    for name in arguments.scenarios:
        if name not in SCENARIOS:
            parser.error(f"{name} (expected: one of {', '.join(SCENARIOS)})")
    LAUNCHER = arguments.launcher
    for name in arguments.scenarios or SCENARIOS:
        SCENARIOS[name]()


main()
