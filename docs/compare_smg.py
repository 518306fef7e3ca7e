#!/usr/bin/env python3
"""Compares routing with SGLang's model gateway (SMG, policy cache_aware), and prints a Markdown table.

    python3 docs/compare_smg.py --smg VENV/bin/smg [--workers 4] [--rounds 3] [--model NAME] [WORKLOAD ...]

The same workers, the same client (`sluice bench --base-url`), the same requests, as text. Workers have no
HTTP edge of their own, so in front of SMG's each stands a router that knows this one worker:

    bench ──▶ router ──▶ workers               bench ──▶ SMG ──▶ router ──▶ worker, for each worker

The further hop is in SMG's times. `round-robin` is Sluice's router without a look at caches. Every run gets
fresh workers, and systems take turns.

shared-prefix  requests that begin with one of 16 system prompts of 128 words
multi-turn     conversations of 6 requests with one system prompt of 64 words, each with all before
random         prompts that have nothing in common, of very different lengths

Workers are simulated (`sluice simulate-fleet`, --cost) unless --model names a model for real ones.
Simulated tokens are bytes, some five to a word. Hit rate is the part of the prompt tokens that workers found
cached. SMG comes as the Python package sglang-router. Linux. Needs only Python's standard library.
Exit status: 0 done, 1 if something failed, 2 usage."""
import argparse
import statistics
import tempfile
import urllib.request

from _processes import Processes, bench, free_port, row, wait_for

WORKLOADS = {
    "shared-prefix": (
        "--workload", "shared-prefix", "-n", "160", "--prefixes", "16", "--prefix-len", "128",
        "--input-len", "16", "--output-len", "32", "--length-spread", "0.5",
    ),
    "multi-turn": (
        "--workload", "multi-turn", "-n", "32", "--turns", "6", "--prefix-len", "64",
        "--input-len", "24", "--output-len", "48", "--length-spread", "0.5",
    ),
    "random": (
        "--workload", "random", "-n", "96", "--input-len", "96", "--output-len", "32", "--length-spread", "0.9",
    ),
}
SYSTEMS = ("sluice", "smg", "round-robin")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def start_workers(processes, options, folder):
    """Fresh ones: their addresses."""
    if options.model:
        started = [
            processes.start(
                folder, f"worker-{i}",
                [options.launcher, "worker", "--port", "0", "--telemetry.metrics-port", "0", "--model", options.model])
            for i in range(options.workers)
        ]
        return [worker.await_written(r"listens on (127\.0\.0\.1:\d+)")[1] for worker in started]
    fleet = processes.start(
        folder, "fleet",
        [options.launcher, "simulate-fleet", "--workers", str(options.workers), "--port", "0", "--cost", options.cost,
         "--kv-tokens", str(options.kv_tokens)])
    return fleet.await_line("workers ").split(",")


def start_router(processes, options, folder, workers, policy):
    """One that has all these workers: its URL."""
    http = free_port()
    router = processes.start(
        folder, f"router-{http}",
        [options.launcher, "router", "--port", "0", "--http-port", str(http), "--telemetry.metrics-port", "0",
         "--workers", ",".join(workers), "--policy", policy])
    for worker in workers:
        router.await_written(rf"worker {worker} is READY")
    wait_for("router", lambda: answers(f"http://127.0.0.1:{http}/health"))
    return f"http://127.0.0.1:{http}"


def start_smg(processes, options, folder, edges):
    port = free_port()
    smg = processes.start(
        folder, "smg",
        [options.smg, "launch", "--host", "127.0.0.1", "--port", str(port), "--policy", "cache_aware",
         "--prometheus-port", str(free_port()), "--worker-urls", *edges])
    url = f"http://127.0.0.1:{port}"
    wait_for("SMG", lambda: smg.written().count("Activated 1 worker") == len(edges) and answers(url + "/v1/models"), 120)
    return url


def load(options, url, *flags):
    return bench(options.launcher, "--base-url", url + "/v1", "--model", options.model or "simulated", *flags)


def measure(options, system, workload):
    with tempfile.TemporaryDirectory() as folder, Processes() as processes:
        workers = start_workers(processes, options, folder)
        if system == "smg":
            edges = [start_router(processes, options, folder, [worker], "round-robin") for worker in workers]
            url = start_smg(processes, options, folder, edges)
        else:
            policy = options.policy if system == "sluice" else system
            url = start_router(processes, options, folder, workers, policy)
        # The compilers settle; prompts of another seed leave nothing that could be found later.
        for _ in range(2):
            load(options, url, "-n", 8 * options.workers, "-c", 2 * options.workers,
                 "--input-len", 16, "--output-len", 16, "--seed", 999)
        return load(options, url, *WORKLOADS[workload], "-c", options.concurrency, "--warm-up", 0,
                    "--goodput", f"ttft:{options.ttft}")


def report(options, workload):
    print(f"\n### {workload}: {options.workers} workers, {options.concurrency} at once, "
          f"median of {options.rounds}\n")
    row("system", "hit rate", "TTFT p50", "p99", "ITL p50", "tokens/s, prompt and output", "good/s", "failed")
    row(*["---"] * 8)
    runs = {system: [] for system in options.systems}
    for turn in range(options.rounds):
        first = turn % len(options.systems)
        for system in options.systems[first:] + options.systems[:first]:
            runs[system].append(measure(options, system, workload))
    for system, measured in runs.items():

        def median(figure):
            return statistics.median(figure(run) for run in measured)

        row(
            system,
            f"{median(lambda r: r['total_cached_tokens'] / max(1, r['total_input_tokens'])):.2f}",
            f"{median(lambda r: r['median_ttft_ms']):.1f} ms",
            f"{median(lambda r: r['p99_ttft_ms']):.1f} ms",
            f"{median(lambda r: r['median_itl_ms']):.1f} ms",
            f"{median(lambda r: r['total_token_throughput']):.0f}",
            f"{median(lambda r: r['request_goodput']):.2f}",
            sum(run["failed"] for run in measured),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smg", default="smg", metavar="FILE")
    parser.add_argument("--launcher", default="./sluice", metavar="FILE")
    parser.add_argument("--workers", type=int, default=4, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--concurrency", type=int, default=16, metavar="N")
    parser.add_argument("--policy", default="cost", metavar="NAME", help="Sluice's")
    parser.add_argument("--systems", type=lambda text: text.split(","), default=list(SYSTEMS), metavar="NAME,...")
    parser.add_argument("--model", default="", metavar="NAME", help="real workers of it, rather than simulated ones")
    parser.add_argument("--cost", default="gpu", metavar="MODEL", help="of simulated steps")
    parser.add_argument("--kv-tokens", type=int, default=1 << 16, metavar="N", help="of each simulated worker")
    parser.add_argument("--ttft", type=int, default=200, metavar="MS", help="what a good request keeps")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    options = parser.parse_args()
    for name in options.workloads:
        if name not in WORKLOADS:
            parser.error(f"{name} (expected: one of {', '.join(WORKLOADS)})")
    for name in options.systems:
        if name not in SYSTEMS:
            parser.error(f"{name} (expected: one of {', '.join(SYSTEMS)})")
    for workload in options.workloads or WORKLOADS:
        report(options, workload)


if __name__ == "__main__":
    main()
