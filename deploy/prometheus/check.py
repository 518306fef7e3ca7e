#!/usr/bin/env python3
"""Proves metrics, rules and dashboard with a real Prometheus server that scrapes a real fleet under load.

    python3 deploy/prometheus/check.py [--launcher ./sluice] [--model NAME] [--seconds 40] [--keep]

Needs `prometheus` and `promtool` on the path (Debian: apt-get install prometheus). Starts a router and two
workers with the default model, on free ports, and Prometheus with a data folder of its own; stops them all.

metrics     promtool accepts the pages of router and worker
exemplars   Prometheus has kept examples of the histograms of both, each with its trace
vLLM names  the worker's page has what autoscalers, endpoint pickers and vLLM's dashboard read
rules       promtool accepts the rules, and Prometheus has evaluated every one without an error
TTFT        the 99th percentile from the router's histogram lies in the load generator's bucket, or next to it
dashboard   every query of every panel returns data, after load of two tenants, over gRPC and HTTP, a refusal,
            a caller that hangs up, and a worker that is killed while it serves and started again

Prints what it saw, as Markdown. Exit status: 0 all as expected, 1 not, 2 usage."""
import argparse
import http.server
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from _checks import check, failures, free_port  # noqa: E402

# What reads them: llm-d's and the gateway API's endpoint pickers, KEDA scalers, vLLM's Grafana dashboard.
VLLM = """num_requests_running num_requests_waiting kv_cache_usage_perc cache_config_info prompt_tokens_total
generation_tokens_total prefix_cache_queries_total prefix_cache_hits_total num_preemptions_total request_success_total
time_to_first_token_seconds_bucket inter_token_latency_seconds_bucket request_time_per_output_token_seconds_bucket
e2e_request_latency_seconds_bucket request_queue_time_seconds_bucket request_prefill_time_seconds_bucket
request_decode_time_seconds_bucket request_prompt_tokens_bucket request_generation_tokens_bucket""".split()
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def fetch(url, accept="text/plain", body=None):
    headers = {"Accept": accept} | ({"Content-Type": "application/json"} if body else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as page:
        return page.read().decode()


class Drop(http.server.BaseHTTPRequestHandler):
    """Takes the traces and forgets them: without an exporter there are no spans, and so no exemplars."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Fleet:
    """Processes of one fleet and the Prometheus that scrapes it."""

    def __init__(self, launcher, model, folder):
        self.launcher, self.model, self.folder, self.running = launcher, model, folder, {}
        self.log = open(folder / "log", "w")
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drop)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        self.environment = os.environ | {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}/v1/traces",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        self.ports = {name: (free_port(), free_port()) for name in ("router", "w1", "w2")}
        self.prometheus, self.http = free_port(), free_port()

    def start(self, name):
        grpc, metrics = self.ports[name]
        flags = ["--port", str(grpc), "--telemetry.metrics-port", str(metrics), "--server.stop-grace", "2s"]
        if name == "router":
            workers = ",".join(f"127.0.0.1:{self.ports[w][0]}" for w in ("w1", "w2"))
            command = [self.launcher, "router", "--workers", workers, "--http-port", str(self.http), *flags]
        else:
            command = [self.launcher, "worker", "--worker-id", name, "--model", self.model, "--threads", "1", "--memory", "1GiB", *flags]
        self.spawn(name, command)

    def start_prometheus(self):
        config = (HERE / "prometheus.yml").read_text()
        config = config.replace("15s", "1s").replace("rules.yml", str(HERE / "rules.yml"))
        config = config.replace("127.0.0.1:9464", f"127.0.0.1:{self.ports['router'][1]}")
        config = config.replace("127.0.0.1:9465", f"127.0.0.1:{self.ports['w1'][1]}")
        config = config.replace("127.0.0.1:9466", f"127.0.0.1:{self.ports['w2'][1]}")
        (self.folder / "prometheus.yml").write_text(config)
        self.spawn("prometheus", [
            "prometheus", f"--config.file={self.folder / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus}", "--enable-feature=exemplar-storage",
        ])

    def spawn(self, name, command):
        self.running[name] = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, env=self.environment)

    def kill(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def require_alive(self):
        for name, process in self.running.items():
            if process.poll() is not None:
                sys.exit(f"{name} ended with status {process.returncode}; log: {self.log.name}")

    @property
    def target(self):
        return f"127.0.0.1:{self.ports['router'][0]}"

    def await_ready(self, seconds=400):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.require_alive()
            try:
                pages = fetch(f"http://127.0.0.1:{self.ports['router'][1]}/metrics")
                if any(line.startswith("sluice_workers{") and 'state="ready"' in line and line.endswith(" 2.0") for line in pages.splitlines()):
                    return
            except OSError:
                pass
            time.sleep(0.2)
        sys.exit(f"the fleet is not ready; log: {self.log.name}")

    def sluice(self, *arguments):
        """Runs a command to its end; for one that is expected to fail, whoever calls looks at the status."""
        return subprocess.run([self.launcher, *arguments], stdout=self.log, stderr=subprocess.STDOUT).returncode

    def await_scraped(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.require_alive()
            try:
                if sum(self.query('up{job=~"sluice-.*"}')) == 3:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        sys.exit(f"Prometheus does not scrape; log: {self.log.name}")

    def query(self, expression):
        parameters = urllib.parse.urlencode({"query": expression})
        answer = json.loads(fetch(f"http://127.0.0.1:{self.prometheus}/api/v1/query?{parameters}"))
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def close(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


def buckets(page, metric):
    """Upper bounds of a histogram and how many values are below each."""
    counts = {}
    for line in page.splitlines():
        if line.startswith(metric + "_bucket{"):
            bound = line.split('le="')[1].split('"')[0]
            counts[float(bound)] = counts.get(float(bound), 0) + float(line.rsplit(" ", 1)[1])
    return sorted(counts.items())


def main(options):
    for tool in ("prometheus", "promtool"):
        shutil.which(tool) or sys.exit(f"{tool} not found (Debian: apt-get install prometheus)")
    subprocess.run([options.launcher, "--version"], check=True, stdout=subprocess.DEVNULL)  # builds, if need be
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-prometheus-"))
    fleet = Fleet(options.launcher, options.model, folder)
    print("| check | result | seen |\n|---|---|---|", flush=True)
    try:
        for name in ("w1", "w2", "router"):
            fleet.start(name)
        fleet.await_ready()
        fleet.start_prometheus()
        fleet.await_scraped()

        saved = folder / "bench.json"
        load = ["bench", "--target", fleet.target, "--concurrency", "4", "--input-len", "64", "--output-len", "32", "--requests", "100000"]
        status = fleet.sluice(*load, "--warm-up", "0", "--duration", f"{options.seconds}s", "--tenant", "gold", "--save", str(saved))
        if status:
            sys.exit(f"the load generator ended with status {status}; log: {fleet.log.name}")
        compare_ttft(fleet, saved)

        fleet.spawn("rude", [options.launcher, *load, "--duration", "600s", "--tenant", "iron"])
        served = json.loads(fetch(f"http://127.0.0.1:{fleet.http}/v1/models"))["data"][0]["id"]
        completion = json.dumps({"model": served, "prompt": "Once", "max_tokens": 8}).encode()
        fetch(f"http://127.0.0.1:{fleet.http}/v1/completions", body=completion)
        fleet.sluice("generate", "--target", fleet.target, "--model", "nobody", "hello")
        time.sleep(3)
        fleet.kill("w1")
        time.sleep(3)
        fleet.start("w1")
        fleet.await_ready()
        time.sleep(3)
        fleet.kill("rude")  # its streams are cancelled
        time.sleep(3)  # three scrapes

        for name in ("router", "w1", "w2"):
            page = fetch(f"http://127.0.0.1:{fleet.ports[name][1]}/metrics")
            (folder / f"{name}.metrics").write_text(page)
            linted = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True)
            # Names that are vLLM's, or the convention's, are not ours to change.
            own = [line for line in (linted.stdout + linted.stderr).splitlines() if line.startswith("sluice")]
            check(f"metrics of {name}", linted.returncode in (0, 3) and not own, "; ".join(own) or f"{len(page.splitlines())} lines")
            if name != "w1":  # which has just been started again
                exemplars(name, fleet)
            if name == "w2":
                missing = [alias for alias in VLLM if f"\nvllm:{alias}{{" not in page]
                check(f"vLLM names of {name}", not missing, ", ".join(missing) or f"{len(VLLM)} names")
        rules(fleet)
        dashboard(fleet)
    finally:
        fleet.close()
        if options.keep or failures:
            print(f"\nkept: {folder}")
        else:
            shutil.rmtree(folder)
    print(f"\n{len(failures)} not as expected" if failures else "\nall as expected")
    return 1 if failures else 0


def exemplars(name, fleet):
    """What Prometheus has kept of them: a page has those since the scrape before."""
    wanted = {"gen_ai_server_time_to_first_token_seconds", "gen_ai_server_request_duration_seconds"}
    wanted |= {"sluice_admission_wait_seconds"} if name == "router" else {"sluice_inter_token_latency_seconds", "sluice_queue_time_seconds"}
    missing, count, now = [], 0, time.time()
    for metric in sorted(wanted):
        query = f'{metric}_bucket{{instance="127.0.0.1:{fleet.ports[name][1]}"}}'
        asked = urllib.parse.urlencode({"query": query, "start": now - 600, "end": now})
        found = json.loads(fetch(f"http://127.0.0.1:{fleet.prometheus}/api/v1/query_exemplars?{asked}"))["data"]
        traces = [e for series in found for e in series["exemplars"] if e["labels"].get("trace_id")]
        count += len(traces)
        if not traces:
            missing.append(metric)
    check(f"exemplars of {name}", not missing, f"{count} with a trace" + "".join(f"; none in {m}" for m in missing))


def compare_ttft(fleet, saved):
    measured = json.loads(saved.read_text())["p99_ttft_ms"] / 1000
    metric = "gen_ai_server_time_to_first_token_seconds"
    counts = buckets(fetch(f"http://127.0.0.1:{fleet.ports['router'][1]}/metrics"), metric)
    bounds = [bound for bound, _ in counts]
    total = counts[-1][1]
    index = next(i for i, (_, count) in enumerate(counts) if count >= 0.99 * total)
    place = next(i for i, bound in enumerate(bounds) if measured <= bound)
    check("TTFT p99", abs(index - place) <= 1,
          f"load generator {measured * 1000:.1f} ms; histogram {bounds[index - 1] * 1000 if index else 0:.0f} to {bounds[index] * 1000:.0f} ms of {total:.0f} requests")


def rules(fleet):
    linted = subprocess.run(["promtool", "check", "rules", HERE / "rules.yml"], text=True, capture_output=True)
    groups = json.loads(fetch(f"http://127.0.0.1:{fleet.prometheus}/api/v1/rules"))["data"]["groups"]
    all_rules = [rule for group in groups for rule in group["rules"]]
    bad = [rule["name"] for rule in all_rules if rule["health"] != "ok"]
    check("rules", linted.returncode == 0 and not bad, f"{len(all_rules)} rules evaluated" + (f"; wrong: {bad}" if bad else ""))
    firing = [rule["name"] for rule in all_rules if rule.get("state") in ("firing", "pending")]
    print(f"| alerts meanwhile | | {', '.join(firing) or 'none'} |")


def dashboard(fleet):
    panels = json.loads((HERE.parent / "grafana" / "sluice.json").read_text())["panels"]
    silent, queries = [], 0
    for panel in panels:
        for target in panel.get("targets", []):
            queries += 1
            values = fleet.query(target["expr"].replace("$__rate_interval", "2m"))
            if not values or all(math.isnan(value) for value in values):
                silent.append(f"{panel['title']} ({target['legendFormat']})")
    check("dashboard", not silent, f"{queries} queries" + (f"; no data: {', '.join(silent)}" if silent else ", each with data"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", default=str(ROOT / "sluice"))
    parser.add_argument("--model", default="smollm2-135m", help="name in the catalogue, or path")
    parser.add_argument("--seconds", type=int, default=40, help="of load for the comparison of TTFT")
    parser.add_argument("--keep", action="store_true", help="keep Prometheus' data, pages and logs")
    sys.exit(main(parser.parse_args()))
