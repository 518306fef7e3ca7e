"""The child processes of the measuring scripts beside this file: started, waited for, measured, ended.
Linux."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


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

    def await_written(self, pattern):
        """Waits for what matches a regular expression: the match."""
        match = None

        def found():
            nonlocal match
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended:\n{self.written()}")
            match = re.search(pattern, self.written(), re.MULTILINE)
            return match

        wait_for(self.name, found)
        return match

    def await_line(self, prefix):
        """Waits for a line that begins so: what follows in it."""
        return self.await_written(f"^{re.escape(prefix)}(.*)\n")[1].strip()

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


def jcmd(pid, *command):
    """What a JVM says to a diagnostic command; nothing if it or the tool is not there."""
    home = os.environ.get("JAVA_HOME")
    tool = os.path.join(home, "bin", "jcmd") if home else shutil.which("jcmd")
    if not tool:
        return ""
    return subprocess.run([tool, str(pid), *command], capture_output=True, text=True).stdout


def heap_mib(pid):
    """Used and committed, over all generations; nothing if the JVM does not say."""
    sizes = re.findall(r"total (\d+)K, used (\d+)K", jcmd(pid, "GC.heap_info"))
    return tuple(sum(int(size[i]) for size in sizes) / 1024 for i in (1, 0)) if sizes else None


def start_bench(launcher, *flags, nice=0):
    """A load generator, which writes its result as JSON; `finish_bench` waits for it.

    With `nice` it leaves the processor to what is measured, as if it ran elsewhere; what that delays it
    by itself is still in its figures."""
    return subprocess.Popen(
        ["nice", "-n", str(nice), launcher, "bench", "-o", "json", *map(str, flags)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_bench(process):
    """The result; requests may have failed."""
    out, err = process.communicate()
    if not out.strip():
        sys.exit(f"{' '.join(process.args)} printed nothing: {err}")
    return json.loads(out)


def bench(launcher, *flags):
    return finish_bench(start_bench(launcher, *flags))


def row(*cells):
    """Prints a row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
