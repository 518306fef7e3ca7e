"""Prints where a worker's memory goes, a line every few seconds:

    python3 docs/watch_memory.py PID [SECONDS]

heap      used after the latest garbage collection's allocation, and committed (MiB)
jvm       what the JVM has committed outside the heap (MiB); needs -XX:NativeMemoryTracking=summary
anonymous resident memory that is not a file's: weights, KV blocks ever used, heap, buffers (MiB)
files     resident pages of files: libraries, embedding, class archive; the system may drop them (MiB)
peak      most that was ever resident (MiB)

Flat means: `anonymous` grows until every KV block has been used once, then stays.
`SLUICE_JAVA_OPTS=-XX:NativeMemoryTracking=summary ./sluice worker` starts a worker to be watched.
Linux; jcmd is taken from JAVA_HOME or the path. Ends with the worker.
"""

import re
import sys
import time

from _processes import heap_mib, jcmd


def outside_heap(pid):
    text = jcmd(pid, "VM.native_memory", "summary", "scale=KB")
    total = re.search(r"Total:.*committed=(\d+)KB", text)
    java_heap = re.search(r"Java Heap.*committed=(\d+)KB", text)
    if not total or not java_heap:
        return "?"
    return f"{(int(total[1]) - int(java_heap[1])) / 1024:.0f}"


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        fields = dict(line.split(":", 1) for line in lines)
    return [f"{int(fields[name].split()[0]) / 1024:.0f}" for name in ("RssAnon", "RssFile", "VmHWM")]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    pid = int(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) == 3 else 10
    columns = "{:>8} {:>9} {:>9} {:>6} {:>10} {:>6} {:>6}"
    print(columns.format("seconds", "heap", "committed", "jvm", "anonymous", "files", "peak"))
    start = time.monotonic()
    while True:
        heap = heap_mib(pid)
        used, committed = (f"{mib:.0f}" for mib in heap) if heap else ("?", "?")
        outside = outside_heap(pid)
        try:
            resident = status(pid)
        except (FileNotFoundError, KeyError):
            return
        at = f"{time.monotonic() - start:.0f}"
        print(columns.format(at, used, committed, outside, *resident), flush=True)
        time.sleep(seconds)


if __name__ == "__main__":
    main()
