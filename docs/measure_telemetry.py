#!/usr/bin/env python3
"""Measures what telemetry costs: the throughput of a fleet with it over that of one without.

    python3 docs/measure_telemetry.py                            10 pairs of 60 s: about half an hour
    python3 docs/measure_telemetry.py --pairs 2 --seconds 10     a trial

A pair is two fleets, each a fresh router and worker of the default model; after some load that does not
count, the load generator asks one and then the other, in a closed loop, for some seconds at a time: a
machine that slows down is fair to both, and the fleet that is not asked does nothing. With telemetry on,
every request is traced, spans and metrics go by OTLP to a receiver that drops them (it is a process of its
own, not counted), and the metrics are scraped every 5 s.

Prints Markdown: throughput and CPU time per output token of each side (of router and worker, from /proc), the
median of the pairs' ratios and its 95 % interval (bootstrap, 10,000 resamples). Needs Linux and Python's
standard library. Exit status: 0 done, 1 a process failed, 2 usage."""
import argparse
import contextlib
import http.server
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
RESAMPLES = 10_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", default=str(ROOT / "sluice"))
    parser.add_argument("--pairs", type=int, default=10, metavar="N")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="of load on each fleet of a pair")
    parser.add_argument("--turn", type=int, default=10, metavar="N", help="seconds before the other fleet is asked")
    parser.add_argument("--warm-up", type=int, default=10, metavar="N", help="seconds of load before that")
    parser.add_argument("--concurrency", type=int, default=16, metavar="N")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of the worker; 0: all")
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        return receive()
    for name in ("pairs", "seconds", "turn", "warm_up", "concurrency"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')}: {getattr(options, name)} (expected: 1 or more)")
    subprocess.run([options.launcher, "--version"], check=True, stdout=subprocess.DEVNULL)  # builds, if need be

    receiver = subprocess.Popen([sys.executable, __file__, "--receive"], stdout=subprocess.PIPE, text=True)
    try:
        endpoint = receiver.stdout.readline().strip()
        pairs = []
        print("| pair | tokens/s off | tokens/s on | on / off | CPU ms per token off | on | on / off |\n|---|---|---|---|---|---|---|")
        for number in range(options.pairs):
            pairs.append(pair(options, (True, False) if number % 2 else (False, True), endpoint))
            print(f"| {number + 1} {row(*pairs[-1])}", flush=True)
    finally:
        receiver.terminate()
        receiver.wait()
    print()
    for name, index in (("throughput", 0), ("CPU time per token", 1)):
        ratios = [on[index] / off[index] for off, on in pairs]
        low, high = interval(ratios)
        print(f"{name}, on / off: median {statistics.median(ratios):.4f}, 95 % interval {low:.4f} to {high:.4f}, {len(ratios)} pairs")


def row(off, on):
    return (f"| {off[0]:.1f} | {on[0]:.1f} | {on[0] / off[0]:.3f} "
            f"| {off[1] * 1000:.3f} | {on[1] * 1000:.3f} | {on[1] / off[1]:.3f} |")


def interval(ratios):
    """Of the median, by resampling the pairs."""
    generator = random.Random(1)
    medians = sorted(statistics.median(generator.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES) - 1]


def pair(options, order, endpoint):
    """Output tokens per second and CPU seconds per output token, without telemetry and with it."""
    with tempfile.TemporaryDirectory(prefix="sluice-telemetry-") as folder, contextlib.ExitStack() as fleets:
        sides = {on: fleets.enter_context(Fleet(options, on, endpoint, pathlib.Path(folder))) for on in order}
        for side in sides.values():
            side.load(options.warm_up)
        for side in sides.values():
            side.tokens = side.seconds = side.cpu = 0
        for turn in range(max(1, options.seconds // options.turn)):
            for on in order if turn % 2 == 0 else reversed(order):
                sides[on].load(min(options.turn, options.seconds))
        return tuple((sides[on].tokens / sides[on].seconds, sides[on].cpu / sides[on].tokens) for on in (False, True))


class Fleet:
    """A router and a worker, and what they did so far."""

    def __init__(self, options, on, endpoint, folder):
        self.options = options
        self.on = on
        self.folder = folder / ("on" if on else "off")
        self.folder.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        if on:
            self.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
        self.processes = []
        self.stop = threading.Event()
        self.tokens = self.seconds = self.cpu = 0

    def __enter__(self):
        self.log = open(self.folder / "log", "w+")
        try:
            threads = ["--threads", str(self.options.threads)] if self.options.threads else []
            worker = self.start("worker", "--memory", "2GiB", *threads)
            router = self.start("router", "--workers", f"127.0.0.1:{worker['grpc']}", "--http-port", "0")
            self.target = f"127.0.0.1:{router['grpc']}"
            wait(self.processes, self.log, lambda: ready(self.options, self.target))
        except BaseException:
            self.__exit__()
            raise
        if self.on:
            threading.Thread(target=scrape, args=(self.stop, router["metrics"], worker["metrics"]), daemon=True).start()
        return self

    def start(self, role, *flags):
        ports = self.folder / f"{role}.ports"
        self.processes.append(subprocess.Popen(
            [self.options.launcher, role, "--port", "0", "--telemetry.metrics-port", "0",
             "--telemetry.enabled", str(self.on).lower(), "--port-file", str(ports), "--server.stop-grace", "2s", *flags],
            stdout=self.log, stderr=subprocess.STDOUT, env=self.environment))
        text = wait(self.processes, self.log, lambda: ports.exists() and ports.read_text())
        return dict(line.split("=") for line in text.splitlines())

    def load(self, seconds):
        before = cpu(self.processes)
        figures = load(self.options, self.target, seconds, self.folder)
        self.cpu += cpu(self.processes) - before
        self.tokens += figures["total_output_tokens"]
        self.seconds += figures["total_output_tokens"] / figures["output_throughput"]

    def __exit__(self, *_):
        self.stop.set()
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


def wait(processes, log, done, seconds=240):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = done()
        if answer:
            return answer
        if any(process.poll() is not None for process in processes):
            break
        time.sleep(0.1)
    log.seek(0)
    sys.exit(f"the fleet does not start:\n{log.read()[-2000:]}")


def ready(options, target):
    return subprocess.run([options.launcher, "generate", "--target", target, "--max-tokens", "1", "hello"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def load(options, target, seconds, folder):
    saved = folder / "bench.json"
    done = subprocess.run(
        [options.launcher, "bench", "--target", target, "--concurrency", str(options.concurrency), "--requests", "1000000",
         "--duration", f"{seconds}s", "--input-len", "64", "--output-len", "64", "--save", str(saved)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"the load generator ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(saved.read_text())


def cpu(processes):
    """Seconds of processor time that the processes have had."""
    total = 0
    for process in processes:
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def scrape(stop, *ports):
    while not stop.wait(5):
        for port in ports:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
                page.read()


class Drop(http.server.BaseHTTPRequestHandler):
    """Takes what OTLP sends and forgets it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def receive():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drop)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
