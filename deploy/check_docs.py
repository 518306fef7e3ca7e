#!/usr/bin/env python3
"""Runs the commands and snippets of README and docs, so that they stay true.

    deploy/check_docs.py [--full] [--list] [FILE.md...]

Every line of every fenced block is run in a folder that looks like the checkout, in the order of the text.
What serves (`sluice up`, `worker`, `router`) is started, waited for, and stopped at the end of its block; what
needs a fleet and has none in its block gets one. Java is compiled and run, YAML is loaded by `--print-config`.
What cannot run here is told with the reason: it needs a GPU, root, a cluster, or hours. Loads are made
shorter, but for `--full`. SLUICE names another launcher than ./sluice, such as that of a distribution. `--list` only says what would be done. Ports 9090, 8080 and 9091 must be free.

Exit: 0 all is well, 1 a command failed. Needs Python 3, curl, grpcurl (`go install`) and what Sluice needs."""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAUNCHER = pathlib.Path(os.environ.get("SLUICE", ROOT / "sluice")).resolve()
LIMIT = 900  # seconds for one command

COMMAND = re.compile(r"^([A-Z_]+=\S+ )*(\./sluice|sluice|python3|go|cd|curl|grpcurl|mvn|docker|deploy/|tar|mkdir|cp|helm|systemctl|/opt/)")
SERVER = re.compile(r"^(\S*/)?sluice (up|worker|router)\b(?!.*(--print-config|--help))")
NEEDS_FLEET = re.compile(r"sluice (generate|chat|fleet|bench)|localhost:(9090|8080)")
NOT_HERE = [
    (re.compile(r"cuda"), "needs a GPU"),
    (re.compile(r"^mvn|^deploy/compat"), "run by hand or by the gate; what it names exists"),
    (re.compile(r"^deploy/images|^docker"), "run by deploy/images/check.sh"),
    (re.compile(r"^helm"), "run by deploy/check.sh, without a cluster"),
    (re.compile(r"/opt/|/etc/|^systemctl"), "needs root and systemd; units are checked by deploy/check.sh"),
    (re.compile(r"engine_llama_cpp|watch_memory|NativeMemoryTracking|--alone|--envoy"), "a measurement of many minutes"),
]
SHORTER = [
    (r"--duration 3m", "--duration 5s"), (r"-n 200\b", "-n 16"), (r"-n 64\b", "-n 8"), (r"-n 20\b", "-n 4"),
    (r"--requests 200", "--requests 16"), (r"-n 2000\b", "-n 500"), (r"--trace-speed 0.1", "--trace-speed 1"),
]


def blocks(file):
    """Language and text of every fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", file.read_text(encoding="utf-8"), re.M | re.S)


def commands(text):
    """Lines of a shell block, those that end with a backslash joined, comments cut off."""
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"\s{2,}#.*$", "", line).strip()
        if line and not line.startswith("#"):
            yield line


class Servers:
    """Processes that serve, until the end of their block."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []

    def start(self, command):
        log = tempfile.TemporaryFile("w+")
        process = subprocess.Popen(["bash", "-c", "exec " + command.rstrip("& ")], cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True, env=environment(self.folder))
        self.processes.append((process, log))
        up = SERVER.match(command).group(2) == "up"
        ready = re.compile(r" ready after | listens on ")
        deadline = time.monotonic() + LIMIT
        if up:
            for line in process.stdout:
                if line.startswith("http "):
                    return True
        while not up and process.poll() is None and time.monotonic() < deadline:
            log.seek(0)
            if ready.search(log.read()):
                return True
            time.sleep(0.2)
        log.seek(0)
        print(log.read())
        return False

    def stop(self):
        """False if one of them does not end well when asked."""
        well = True
        for process, _ in reversed(self.processes):
            process.send_signal(signal.SIGINT)
            try:
                well &= process.wait(90) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                well = False
        self.processes = []
        return well


def environment(folder):
    return {**os.environ, "CURL_HOME": str(folder), "PATH": f"{folder}:{os.path.expanduser('~/go/bin')}:{os.environ['PATH']}"}


def workplace():
    """A folder in which commands find what they name, and may write."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-docs-"))
    folder.joinpath("sluice").symlink_to(LAUNCHER)
    for name in ("docs", "proto", "deploy", "client", "pom.xml"):
        folder.joinpath(name).symlink_to(ROOT / name)
    folder.joinpath("target").mkdir()
    folder.joinpath(".curlrc").write_text("fail\n")  # a status of 400 or more is a failure
    for archive in ROOT.glob("target/sluice-*.tar.gz"):
        shutil.copy(archive, folder)
    folder.joinpath("person.json").write_text(json.dumps({
        "type": "object", "properties": {"name": {"type": "string", "maxLength": 16}, "age": {"type": "integer"}},
        "required": ["name", "age"], "additionalProperties": False,
    }))
    folder.joinpath("conversation_trace.jsonl").write_text("".join(
        json.dumps({"timestamp": 200 * i, "input_length": 40 + i, "output_length": 8}) + "\n" for i in range(10)
    ))
    return folder


def java(folder, text):
    """Compiles and runs a snippet against the client library."""
    body = text if text.startswith("try") else "{" + text + "}"
    source = folder / "Snippet.java"
    source.write_text("import dev.sluice.client.*;\nimport dev.sluice.v1.*;\npublic class Snippet {\n  public static void main(String[] arguments) throws Exception {\n" + body + "\n  }\n}\n")
    jars = f"{ROOT}/app/target/sluice/lib/*" if LAUNCHER.parent == ROOT else f"{LAUNCHER.parent}/lib/*"
    home = os.environ.get("JAVA_HOME")
    program = f"{home}/bin/java" if home else "java"
    return subprocess.run([program, "-cp", jars, str(source)], cwd=folder, timeout=LIMIT, check=False).returncode == 0


def yaml(folder, text):
    """Loads a piece of configuration as what it is of: a worker or a router."""
    folder.joinpath("snippet.yaml").write_text(text)
    role = "worker" if re.search(r"^(engine|model|triton|kv-cache|scheduling):", text, re.M) else "router"
    return shell(folder, f"./sluice {role} --print-config --config snippet.yaml > /dev/null")


def shell(folder, command):
    stdin = subprocess.Popen(["printf", "Hello!\\n"], stdout=subprocess.PIPE).stdout if "sluice chat" in command else subprocess.DEVNULL
    # One shell for each line; what an activated environment adds to PATH is added here.
    prefix = ". target/python/bin/activate && " if folder.joinpath("target/python/bin/activate").exists() else ""
    return subprocess.run(["bash", "-c", prefix + command], cwd=folder, stdin=stdin, env=environment(folder), timeout=LIMIT, check=False).returncode == 0


def named_exists(command):
    """Whether the tests and files that a command names are there."""
    tests = re.findall(r"-D(?:it\.)?test=(\w+)", command)
    return all(test == "NoSuchTest" or any(ROOT.glob(f"*/src/test/java/**/{test}.java")) for test in tests)


def check(file, options, folder):
    failed = 0

    def say(verdict, what, reason=""):
        nonlocal failed
        failed += verdict == "FAILED"
        print(f"{verdict:7} {file.relative_to(ROOT)}: {what}{'  (' + reason + ')' if reason else ''}", flush=True)

    for language, text in blocks(file):
        if language in ("java", "yaml") and not options.list:
            servers = Servers(folder)
            if language == "java":
                servers.start("./sluice up --workers 1")
            good = java(folder, text) if language == "java" else yaml(folder, text)
            servers.stop()
            say("ran" if good else "FAILED", text.splitlines()[0] + " …")
            continue
        lines = list(commands(text))
        if language not in ("", "sh", "bash") or not lines or not COMMAND.match(lines[0]):
            say("skipped", lines[0] if lines else "", "no command" if language in ("", "sh", "bash") else "list only")
            continue
        servers = Servers(folder)
        own = any(SERVER.match(line) for line in lines)
        for line in lines:
            command = line
            if not options.full:
                for long, short in SHORTER:
                    command = re.sub(long, short, command)
            reason = next((why for pattern, why in NOT_HERE if pattern.search(line)), "")
            if reason:
                say("skipped" if named_exists(line) else "FAILED", line, reason)
            elif options.list:
                say("runs", command)
            elif SERVER.match(command):
                say("ran" if servers.start(command) else "FAILED", command)
                if " up" in command:
                    servers.stop()
            else:
                if NEEDS_FLEET.search(command) and not own and not servers.processes:
                    servers.start("./sluice up --workers 1")
                say("ran" if shell(folder, command) else "FAILED", command)
        if not servers.stop():
            say("FAILED", lines[0], "a server did not end well")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="loads as long as they are written")
    parser.add_argument("--list", action="store_true", help="only say what would be done")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    files = [file.resolve() for file in options.files] or [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("deploy/**/README.md"))]
    folder = workplace()
    try:
        failed = sum(check(file, options, folder) for file in files if "target" not in file.parts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
