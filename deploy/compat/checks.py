"""What the scripts for Python clients share: a row of a table for each check, and a look at the fleet.

Environment: SLUICE_TARGET (host:port of the router's gRPC), GRPCURL (that program).
"""
import json
import os
import subprocess
import sys
import time

PATIENCE = 60  # seconds until a fleet on a busy machine must have done something


class Checks:
    """Runs functions; each is what its docstring says. One that raises has failed; others go on."""

    def __init__(self, client):
        self.client = client
        self.failed = 0

    def __call__(self, function):
        began = time.monotonic()
        try:
            note, result = function() or "", "ok"
        except Exception as e:  # each check stands alone
            self.failed += 1
            note, result = f"{type(e).__name__}: {e}", "FAILED"
        note = " ".join(str(note).replace("|", "\\|").split())[:160]
        seconds = time.monotonic() - began
        print(f"| {self.client} | {function.__doc__} | {result} | {seconds:.1f} | {note} |", flush=True)

    def exit(self):
        sys.exit(1 if self.failed else 0)


def held():
    """Requests that the fleet is busy with, and cache blocks that belong to them."""
    listed = subprocess.run(
        [os.environ["GRPCURL"], "-plaintext", os.environ["SLUICE_TARGET"], "sluice.v1.FleetService/ListWorkers"],
        check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
    loads = [worker["load"] for worker in json.loads(listed)["workers"]]
    return (sum(load.get("running_requests", 0) + load.get("waiting_requests", 0) for load in loads),
            sum(load.get("kv_blocks_owned", 0) for load in loads))


def await_held(what):
    """Waits until what is held is as it should be; fails if it never is."""
    deadline = time.monotonic() + PATIENCE
    while not what(*held()):
        if time.monotonic() > deadline:
            raise AssertionError("requests and blocks held: %d, %d" % held())
        time.sleep(0.05)


def await_idle():
    """Waits until no worker is busy, and every block is free or only remembered."""
    await_held(lambda requests, blocks: requests == 0 and blocks == 0)
    return "all blocks free"
