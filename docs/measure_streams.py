#!/usr/bin/env python3
"""Holds many slow streams open through one router, and prints what they cost it.

    python3 docs/measure_streams.py [--streams 10000] [--minutes 10]

Simulated workers send every stream a message each second. Of the clients 10 % are slow or stalled:
they ask for log-probabilities, so that there is much to read, and read a message every two seconds
or, after the tenth, none. A line every half minute: heap after a full collection, memory of the
process. At the end: memory per stream (against before the first), and what the other clients felt,
beside a run without slow clients (--alone, a minute).

Needs Go (for deploy/bench/streamload) and jcmd. Linux. Exit status: 0 done, 1 if a stream of a
client that reads failed, if the heap grew in the second half by more than a tenth and the tokens that
streams keep, or if more than 10 MiB are left at the end."""
import argparse
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import compare_proxies as bench  # noqa: E402
from _processes import Processes, heap_mib, jcmd, row  # noqa: E402

BYTES_PER_TOKEN = 4


def live_heap_mib(pid):
    """What is used after a full collection."""
    jcmd(pid, "GC.run")
    heap = heap_mib(pid)
    return heap[0] if heap else sys.exit("jcmd is needed (expected: in JAVA_HOME or on the path)")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--launcher", default=str(bench.ROOT / "sluice"))
    parser.add_argument("--client", metavar="PATH", help="streamload, built; default: builds it")
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--slow", type=int, default=10, metavar="PERCENT")
    parser.add_argument("--alone", action="store_true", help="first a minute without slow clients")
    parser.add_argument("--router-flag", action="append", default=[], metavar="FLAG")
    arguments = parser.parse_args()
    tokens = max(2, int(arguments.minutes * 60))
    with tempfile.TemporaryDirectory() as folder, Processes() as processes:
        client = arguments.client or bench.build_client(folder)
        sequences = -(-arguments.streams * 5 // 4 // arguments.workers)
        workers = bench.fleet(
            processes, arguments.launcher, folder, arguments.workers, "1s", sequences,
            ("--kv-tokens", str(sequences * (tokens + 128))),
        )
        process, address = bench.router(
            processes, arguments.launcher, folder, workers,
            ["--policy=least-outstanding", "--proxy.max-request-duration=60m", *arguments.router_flag],
        )
        conns = max(1, arguments.streams // 1_000)
        flags = ("-spread", "20s", "-conns", conns)
        bench.load(client, address, min(100, arguments.streams), 5)  # the compiler settles
        if arguments.alone:
            alone = bench.load(client, address, arguments.streams, 60, *flags, "-slow", 0)
            print("without slow clients", felt(alone))
        pid = process.process.pid
        before = live_heap_mib(pid), process.resident_mib()
        results = []

        def run():
            try:
                results.append(
                    bench.load(client, address, arguments.streams, tokens, *flags, "-slow", arguments.slow)
                )
            except SystemExit as failure:  # ends only the thread
                print(failure.code)

        running = threading.Thread(target=run)
        start, cpu = time.monotonic(), process.cpu_seconds()
        running.start()
        row("seconds", "live heap MiB", "process MiB", "router CPU s")
        row("---", "---", "---", "---")
        heaps = []
        while running.is_alive():
            running.join(30)
            if running.is_alive():
                heaps.append(live_heap_mib(pid))
                row(f"{time.monotonic() - start:.0f}", f"{heaps[-1]:.0f}",
                          f"{process.resident_mib():.0f}", f"{process.cpu_seconds() - cpu:.1f}")
        if not results:
            sys.exit(1)
        most = max(heaps, default=before[0])
        print(f"live heap per stream: {(most - before[0]) * 1024 / arguments.streams:.1f} KiB"
              f" (before {before[0]:.0f} MiB, most {most:.0f} MiB); process before {before[1]:.0f} MiB")
        print("the others", felt(results[0]), f"slow clients {results[0]['slow']},"
              f" of which ended by SLOW_READER {results[0]['slow_refused']}")
        after = live_heap_mib(pid)
        print(f"live heap after the last stream: {after:.0f} MiB")
        # A stream keeps the tokens that it passed on, 4 bytes each, in an array that grows by half.
        kept = arguments.streams * tokens * BYTES_PER_TOKEN * 1.5 / 2**20
        half = heaps[len(heaps) // 2:]
        if half and max(half) > 1.1 * half[0] + kept:
            sys.exit(f"the heap grew from {half[0]:.0f} to {max(half):.0f} MiB in the second half"
                     f" (expected: at most {0.1 * half[0] + kept:.0f} MiB more)")
        if after > before[0] + 10:
            sys.exit(f"{after - before[0]:.0f} MiB are left (expected: at most 10 MiB)")


def felt(result):
    gap, first = result["gap_us"], result["first_us"]
    return (f"first message p50 {first['p50'] / 1e3:.1f} ms p99 {first['p99'] / 1e3:.1f} ms,"
            f" gap p50 {gap['p50'] / 1e3:.0f} ms p99 {gap['p99'] / 1e3:.0f} ms"
            f" max {gap['max'] / 1e3:.0f} ms, failed {result['failed']};")


if __name__ == "__main__":
    main()
