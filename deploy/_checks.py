"""What the checking scripts in the folders beside this file share."""
import socket

failures = []


def check(name, good, seen=""):
    """Prints a row of a Markdown table; what is not as expected is kept in `failures`."""
    print(f"| {name} | {'as expected' if good else 'NOT AS EXPECTED'} | {seen} |", flush=True)
    if not good:
        failures.append(name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
