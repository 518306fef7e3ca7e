#!/usr/bin/env python3
"""Measures what routing by cached prefixes brings, on a fleet of this machine, and prints Markdown.

    python3 docs/measure_routing.py [--launcher ./sluice] [--workers 4] [--policies cost,round-robin,...]
                                    [--repeat 1] [--worker-flag FLAG] [--concurrency 16] [WORKLOAD ...]

shared-prefix  requests that begin with one of 16 system prompts of 512 tokens
multi-turn     conversations of 6 requests with one system prompt of 256 tokens, each with all before
random         prompts that have nothing in common, of very different lengths

Every policy gets a fresh fleet (`sluice up`) and the same requests. Hit rate is the part of the prompt
tokens that workers found cached. `good` are the requests per second with their first token within
`--ttft` ms; a refusal is not good. Needs only Python's standard library; the model is fetched by the
first run. Exit status: 0 done, 1 if a command failed, 2 usage."""
import argparse
import statistics
import tempfile

from _processes import Process, bench, row

WORKLOADS = {
    "shared-prefix": (
        "--workload", "shared-prefix", "-n", "160", "--prefixes", "16", "--prefix-len", "512",
        "--input-len", "64", "--output-len", "32", "--length-spread", "0.5",
    ),
    "multi-turn": (
        "--workload", "multi-turn", "-n", "32", "--turns", "6", "--prefix-len", "256",
        "--input-len", "96", "--output-len", "48", "--length-spread", "0.5",
    ),
    "random": (
        "--workload", "random", "-n", "96", "--input-len", "384", "--output-len", "32", "--length-spread", "0.9",
    ),
}
POLICIES = ("cost", "round-robin", "least-outstanding", "power-of-two", "prefix-hash", "session", "random")


class Fleet:
    """A router and its workers; `target` is where the router listens."""

    def __init__(self, options, policy):
        flags = [f"--worker-flag={flag}" for flag in options.worker_flag]
        self.folder = tempfile.TemporaryDirectory()
        self.process = Process(
            self.folder.name, "fleet",
            [
                options.launcher, "up", "--port", "0", "--workers", str(options.workers),
                f"--router-flag=--policy={policy}", *flags,
            ],
        )
        self.target = self.process.await_written(r"^router (\S+:\d+)$")[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        self.folder.cleanup()


def measure(options, policy, workload):
    with Fleet(options, policy) as fleet:
        # The compilers settle; prompts of another seed leave nothing that could be found later.
        for _ in range(2):
            bench(options.launcher, "--target", fleet.target, "-n", 8 * options.workers, "-c", 2 * options.workers,
                  "--input-len", 64, "--output-len", 16, "--seed", 999)
        return bench(
            options.launcher, "--target", fleet.target, *WORKLOADS[workload], "-c", options.concurrency, "--warm-up", 0,
            "--goodput", f"ttft:{options.ttft}",
        )


def report(options, workload):
    print(f"\n### {workload}: {options.workers} workers, {options.concurrency} at once\n")
    row("policy", "hit rate", "TTFT p50", "p99", "tokens/s, prompt and output", "good/s", "refused or failed")
    row(*["---"] * 7)
    for policy in options.policies:
        runs = [measure(options, policy, workload) for _ in range(options.repeat)]

        def median(figure):
            return statistics.median(figure(run) for run in runs)

        row(
            policy,
            f"{median(lambda r: r['total_cached_tokens'] / max(1, r['total_input_tokens'])):.2f}",
            f"{median(lambda r: r['median_ttft_ms']):.0f} ms",
            f"{median(lambda r: r['p99_ttft_ms']):.0f} ms",
            f"{median(lambda r: r['total_token_throughput']):.0f}",
            f"{median(lambda r: r['request_goodput']):.2f}",
            sum(run["failed"] for run in runs),
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--launcher", default="./sluice", metavar="FILE")
    parser.add_argument("--workers", type=int, default=4, metavar="N")
    parser.add_argument("--policies", type=lambda text: text.split(","), default=POLICIES, metavar="NAME,...")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs; the median is shown")
    parser.add_argument("--concurrency", type=int, default=16, metavar="N")
    parser.add_argument("--ttft", type=int, default=1000, metavar="MS", help="what a good request keeps")
    parser.add_argument("--worker-flag", action="append", default=[], metavar="FLAG")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    options = parser.parse_args()
    for name in options.workloads:
        if name not in WORKLOADS:
            parser.error(f"{name} (expected: one of {', '.join(WORKLOADS)})")
    for name in options.policies:
        if name not in POLICIES:
            parser.error(f"{name} (expected: one of {', '.join(POLICIES)})")
    for workload in options.workloads or WORKLOADS:
        report(options, workload)


main()
