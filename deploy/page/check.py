#!/usr/bin/env python3
"""Looks at the live page of a real fleet in headless Chromium, and takes pictures of it.

    python3 deploy/page/check.py [--launcher ./sluice] [--out DIR] [--seconds 20]

Needs `chromium` and `chromedriver` on the path (Debian: apt-get install chromium chromium-driver). Starts
`sluice up --workers 2` on free ports, kills one of its workers while it serves, and stops all it started.

idle        the charts, both workers, nothing asked yet
load        requests from four clients, and one by the page's own prompt box; a request opened
dead        a worker killed with SIGKILL: its row says so, and its requests moved to the other one
phone       360 pixels wide: nothing is cut off, nothing scrolls sideways
keyboard    everything that can be used is reached by Tab; Enter opens a request, arrows move the cursor

Each in light and dark. In all: no error in the console, nothing fetched from elsewhere, and the page shows
the past right after it is opened. Writes PNG files to DIR and prints what it saw, as Markdown.
Exit status: 0 all as expected, 1 not, 2 usage."""
import argparse
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from _checks import check, failures, free_port  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def await_true(what, condition, seconds):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError(f"{what}: not within {seconds} s")


class Fleet:
    """A router and two workers."""

    def __init__(self, launcher, folder):
        self.log = open(folder / "up.log", "w+")
        self.process = subprocess.Popen(
            # a small cache, so that its use is seen
            [launcher, "up", "--workers", "2", "--port", "0", "--worker-flag=--kv-cache.memory=64MiB"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = None
        for line in self.process.stdout:
            if line.startswith("http "):
                self.url = line.split()[1]
                break
        if self.url is None:
            raise RuntimeError(f"no fleet: {self.text()}")

    def text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()

    def pids(self):
        """Process ids of the workers, those that were started last."""
        found = {}
        for name, pid in re.findall(r"(\S+) listens on \S+ \(process (\d+)\)", self.text()):
            if name != "router":
                found[name] = int(pid)
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Load:
    """Clients that ask one after the other."""

    TOPICS = ["rivers", "locks", "mills", "tides", "canals", "dams", "harbours", "rain"]

    def __init__(self, url, clients):
        self.url, self.stopped, self.answered, self.broken = url, threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, client):
        turn = 0
        while not self.stopped.is_set():
            turn += 1
            topic = self.TOPICS[(client * 3 + turn) % len(self.TOPICS)]
            body = {"messages": [
                {"role": "system", "content": "You are a patient teacher who explains how water was tamed. " * 4},
                {"role": "user", "content": f"Tell me something about {topic}."}],
                "max_tokens": 24 + 16 * ((client + turn) % 4), "stream": True, "temperature": 0.7}
            request = urllib.request.Request(
                f"{self.url}/v1/chat/completions", json.dumps(body).encode(),
                {"Content-Type": "application/json", "x-sluice-tenant": f"team-{client % 2}"})
            try:
                with urllib.request.urlopen(request, timeout=300) as answer:
                    text = answer.read()
                if b"[DONE]" in text:
                    self.answered += 1
                else:
                    self.broken.append(text[-300:])
            except (urllib.error.URLError, OSError) as error:
                self.broken.append(error)
                time.sleep(0.5)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(300)


class Browser:
    """Chromium by WebDriver, without a library."""

    def __init__(self, folder):
        port = free_port()
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        await_true("chromedriver", self.ready, 30)
        self.base += "/session/" + self.call("/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--user-data-dir={folder / 'profile'}"]}}}})["sessionId"]

    def ready(self):
        try:
            return self.call("/status")["ready"]
        except OSError:
            return False

    def call(self, path, body=None, method=None):
        request = urllib.request.Request(
            self.base + path, None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:500]) from error

    def open(self, url):
        self.call("/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("/execute/sync", {"script": script, "args": list(arguments)})

    def chrome(self, command, **parameters):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height, phone=False):
        self.chrome("Emulation.setDeviceMetricsOverride", width=width, height=height,
                    deviceScaleFactor=2 if phone else 1, mobile=phone)

    def scheme(self, scheme):
        self.chrome("Emulation.setEmulatedMedia",
                    features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        data = self.chrome("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def whole(self, path, width, phone=False):
        """The whole page, not only what fits."""
        height = self.run("return document.documentElement.scrollHeight")
        self.size(width, height, phone)
        self.picture(path)
        self.size(width, 900, phone)

    def press(self, key, code=None):
        for kind in ("keyDown", "keyUp"):
            self.chrome("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                        windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "ArrowLeft": 37}[key],
                        **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))

    def errors(self):
        return [entry["message"] for entry in self.call("/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def close(self):
        try:
            self.call("", method="DELETE")
        finally:
            self.driver.terminate()
            self.driver.wait(10)


def sideways(browser):
    """Elements that stick out at the right."""
    return browser.run("""
        const width = document.documentElement.clientWidth;
        return [...document.querySelectorAll('body *')]
            .filter(e => !e.closest('.sr, thead, svg, .bar, .plot') && e.getBoundingClientRect().right > width + 0.5)
            .map(e => e.tagName + '.' + e.className + '#' + e.id).slice(0, 5);""")


def keyboard(browser):
    browser.run("document.body.tabIndex = -1; document.body.focus(); window.scrollTo(0, 0)")
    reached = set()
    for _ in range(40):
        browser.press("Tab")
        reached.add(browser.run("""
            const e = document.activeElement;
            return e.id || e.className || e.tagName.toLowerCase();"""))
    for name in ("plot", "prompt-text", "prompt-model", "prompt-send", "requests-filter", "requests-pause", "summary"):
        check(f"Tab reaches {name}", name in reached)
    browser.run("document.querySelector('.plot').focus()")
    browser.press("ArrowLeft")
    check("an arrow key moves the cursor", browser.run("return !document.querySelector('.cursor').hidden"))
    seen = browser.run("""
        return import('/page/charts.js').then(({Charts}) => {
          const charts = Object.create(Charts.prototype);
          Object.assign(charts, {columns: {at: [1, 2]}, capacity: 3, at: 1, draw: () => {}});
          return [3, 4, 5].map(at => {
            charts.add({at});
            return charts.columns.at[charts.at];
          });
        });""")
    check("the cursor stays on its sample as long as there is one", seen == [2, 2, 3], seen)
    browser.run("document.querySelector('#requests summary').focus()")
    browser.press("Enter")
    check("Enter opens a request", browser.run("return document.querySelector('#requests details').open"))
    browser.press("Enter")


def rows(browser, state):
    return browser.run("return document.querySelectorAll(`#workers tr[data-state=${arguments[0]}]`).length", state)


def look(fleet, browser, out, seconds):
    def pictures(name, width=1280):
        for scheme in ("light", "dark"):
            browser.scheme(scheme)
            browser.whole(out / f"{name}-{scheme}.png", width, width < 500)
        browser.scheme("light")

    browser.size(1280, 900)
    browser.scheme("light")
    browser.open(fleet.url + "/")
    await_true("two workers", lambda: rows(browser, "ready") == 2, 30)
    time.sleep(3)
    check("the page is live", browser.run("return document.getElementById('link').dataset.state") == "live")
    pictures("idle")

    load = Load(fleet.url, 4)
    time.sleep(seconds / 2)
    browser.run("document.getElementById('prompt-send').click()")
    await_true("a part of the answer",
               lambda: len(browser.run("return document.getElementById('prompt-answer').textContent")) > 40, 120)
    pictures("streaming")
    await_true("the whole answer",
               lambda: browser.run("return document.getElementById('prompt-facts').textContent"), 180)
    check("the prompt box streams", "tok/s" in browser.run("return document.getElementById('prompt-facts').textContent"),
          browser.run("return document.getElementById('prompt-facts').textContent"))
    await_true("a request of ours", lambda: browser.run(
        "return [...document.querySelectorAll('#requests em')].some(e => e.textContent === 'yours')"), 20)
    await_true("some requests", lambda: browser.run("return document.querySelectorAll('#requests li').length") >= 6, 120)
    keyboard(browser)
    browser.run("""[...document.querySelectorAll('#requests em')].find(e => e.textContent === 'yours')
        .closest('summary').click(); document.activeElement.blur()""")
    pictures("load")
    browser.run("document.querySelector('#requests details[open] summary').click()")

    browser.open(fleet.url + "/")  # anew: the past is there
    await_true("the past", lambda: browser.run("return document.querySelectorAll('#requests li').length") > 0, 20)
    path = browser.run("return document.querySelector('.line.a').getAttribute('d')")
    check("a page just opened shows the past", path.count("L") > 5, f"{path.count('L')} seconds")

    name, pid = sorted(fleet.pids().items())[0]
    os.kill(pid, signal.SIGKILL)
    await_true("a dead worker's row", lambda: rows(browser, "suspect") == 1, 20)
    time.sleep(0.3)
    browser.scheme("light")
    browser.whole(out / "dead-light.png", 1280)
    seen = browser.run("return document.querySelector('#workers tr[data-state=suspect] .reason').textContent")
    check("a dead worker's row says why", bool(seen), seen)
    browser.scheme("dark")
    browser.whole(out / "dead-dark.png", 1280)
    browser.size(360, 740, True)
    browser.whole(out / "phone-dead-dark.png", 360, True)
    browser.scheme("light")
    moved = await_true("a request that moved", lambda: browser.run(
        "return document.querySelectorAll('#requests em.moved').length"), 180)
    check("requests of the dead worker went on", moved > 0 and not load.broken, f"{moved} moved, {len(load.broken)} broken")
    browser.size(1280, 900)
    browser.run("document.querySelector('#requests em.moved').closest('summary').click()")
    pictures("moved")

    browser.size(360, 740, True)
    browser.scheme("light")
    time.sleep(1)
    check("nothing sticks out at 360 pixels", not sideways(browser)
          and browser.run("return document.documentElement.scrollWidth") <= 360, sideways(browser))
    pictures("phone", 360)
    load.stop()
    check("all requests were answered", not load.broken, f"{load.answered} answered, {load.broken[:2]}")

    elsewhere = browser.run("""
        return performance.getEntriesByType('resource').map(e => e.name)
            .filter(name => !name.startsWith(location.origin));""")
    check("nothing is fetched from elsewhere", not elsewhere, elsewhere)
    errors = browser.errors()
    check("no errors in the console", not errors, errors[:3])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", default=str(ROOT / "sluice"))
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=20, help="of load before the first picture of it")
    options = parser.parse_args()
    for tool in ("chromium", "chromedriver"):
        if not shutil.which(tool):
            parser.error(f"{tool} is not on the path (Debian: apt-get install chromium chromium-driver)")
    out = options.out or pathlib.Path(tempfile.mkdtemp(prefix="sluice-page-"))
    out.mkdir(parents=True, exist_ok=True)
    print("| what | | seen |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fleet = Fleet(options.launcher, folder)
        try:
            browser = Browser(folder)
            try:
                look(fleet, browser, out, options.seconds)
            finally:
                browser.close()
        finally:
            fleet.stop()
    print(f"\npictures: {out}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
