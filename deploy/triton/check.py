#!/usr/bin/env python3
"""Checks `sluice worker --engine triton` against a real Triton Inference Server, by one command.

    python3 deploy/triton/check.py [--launcher ./sluice] [--environment target/triton] [--requests 200]

The server is the one inside the Python package nvidia-pytriton (Linux, Python 3.11), with its Python
backend and the two decoupled models beside this script: `words` takes text, `reverse` token ids. The
environment is made by the first run.

text        a request through text tensors; its stop string and its length
token ids   a request through token-id tensors, tokenized and detokenized by the worker
mismatch    a worker whose configuration does not fit the model, and what it says
load        requests at once, of which a quarter are cancelled and a quarter have a deadline that is
            too short; meanwhile the server is killed, and started again. Each request ends with a
            status that says why; those that found the server dead are sent again until they are
            served; at the end nothing runs, at the worker or at the server

Prints what it saw, as Markdown. Exit status: 0 all as expected, 1 not, 2 usage."""
import argparse
import asyncio
import collections
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from _checks import check, failures, free_port  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def environment(folder):
    """A virtual environment with the server, gRPC, and stubs of the contract."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        interpreter = shutil.which("python3.11") or sys.exit("python3.11 is needed: the server's backend is built for it")
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "nvidia-pytriton", "numpy<2", "grpcio-tools"], check=True)
        (folder / "ready").touch()
    stubs = folder / "stubs"
    stubs.mkdir(exist_ok=True)
    protos = ROOT / "proto/src/main/proto"
    subprocess.run(
        [python, "-m", "grpc_tools.protoc", "-I", protos, f"--python_out={stubs}", f"--grpc_python_out={stubs}",
         "sluice/v1/generation.proto"],
        check=True,
    )
    return folder


class Triton:
    """The real server, on ports of its own."""

    def __init__(self, folder, log):
        self.port, self.log = free_port(), log
        site = folder / "lib/python3.11/site-packages"
        home = site / "pytriton/tritonserver"
        self.backends = tempfile.TemporaryDirectory()
        shutil.copytree(home / "backends/python", pathlib.Path(self.backends.name) / "python")
        shutil.copy(home / "python_backend_stubs/3.11/triton_python_backend_stub", pathlib.Path(self.backends.name) / "python")
        self.command = [
            home / "bin/tritonserver", f"--model-repository={HERE / 'models'}", f"--backend-directory={self.backends.name}",
            f"--grpc-port={self.port}", "--grpc-address=127.0.0.1", "--allow-http=false", "--allow-metrics=false",
        ]
        self.environment = dict(
            os.environ, VIRTUAL_ENV=str(folder), PYTHONPATH=str(site), LD_LIBRARY_PATH=str(site / "nvidia_pytriton.libs"),
            PATH=f"{folder / 'bin'}:{os.environ['PATH']}",
        )
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # the models' processes, too
        self.process.wait()

    def close(self):
        self.kill()
        self.backends.cleanup()


class Worker:
    """A worker before the server."""

    def __init__(self, launcher, triton, log, *flags):
        self.grpc, self.metrics, self.log = free_port(), free_port(), log
        self.process = subprocess.Popen(
            [launcher, "worker", "--engine", "triton", "--triton", f"127.0.0.1:{triton.port}", "--port", str(self.grpc),
             "--telemetry.metrics-port", str(self.metrics), "--server.stop-grace", "2s", *flags],
            stdout=log, stderr=subprocess.STDOUT,
        )
        self.target = f"127.0.0.1:{self.grpc}"

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10) as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + "{") or line.startswith(name + " "):
                    return float(line.rsplit(" ", 1)[1])
        sys.exit(f"no metric {name}")

    def close(self):
        self.process.terminate()
        self.process.wait()


async def main(options):
    import grpc
    from sluice.v1 import generation_pb2 as pb
    from sluice.v1 import generation_pb2_grpc as rpc

    async def generate(stub, text, timeout=60, cancel_after=None, **stopping):
        """The text, the finish reason and the usage of one request; or its status."""
        call = stub.Generate(pb.GenerateRequest(text=text, stopping=pb.Stopping(**stopping)), timeout=timeout)
        output, reason, usage, deltas = "", None, None, 0
        try:
            async for response in call:
                event = response.WhichOneof("event")
                if event == "delta":
                    output += response.delta.text
                    deltas += 1
                    if deltas == cancel_after:
                        call.cancel()
                elif event == "choice_finished":
                    reason = pb.FinishReason.Name(response.choice_finished.reason).removeprefix("FINISH_REASON_")
                elif event == "finished":
                    usage = response.finished.usage
        except grpc.aio.AioRpcError as error:
            return error
        except asyncio.CancelledError:
            return "CANCELLED"
        return output, reason, usage

    async def serving(stub, seconds=120):
        """Waits until the worker has found the server."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = await generate(stub, "hello")
            if isinstance(answer, tuple):
                return answer
            last = answer
            await asyncio.sleep(0.2)
        sys.exit(f"the worker does not serve: {last}")

    async def refusal(stub, expected, seconds=60):
        """Waits until the worker refuses with such a text; what it did last, if it does not."""
        deadline = time.monotonic() + seconds
        said = ""
        while expected not in said and time.monotonic() < deadline:
            answer = await generate(stub, "x")
            refused = isinstance(answer, grpc.aio.AioRpcError)
            said = f"{answer.code().name}: {answer.details()}" if refused else f"not refused: {answer}"
            await asyncio.sleep(0.2)
        return said

    subprocess.run([options.launcher, "--version"], check=True, stdout=subprocess.DEVNULL)  # builds, if need be
    log = open(options.log, "w")
    triton = Triton(options.environment, log)
    workers = []

    def worker(*flags):
        workers.append(Worker(options.launcher, triton, log, *flags))
        return workers[-1]

    print("| check | result | seen |\n|---|---|---|", flush=True)
    try:
        words = worker("--triton-model", "words", "--engine.max-sequences", "64", "--engine.max-waiting-requests", "1024")
        async with grpc.aio.insecure_channel(words.target) as channel:
            stub = rpc.GenerationServiceStub(channel)
            await serving(stub)
            answer = await generate(stub, "one two three four")
            check("text", answer[:2] == ("one two three four ", "STOP_EOS"), f"{answer[0]!r}, {answer[1]}")
            answer = await generate(stub, "one two three four", max_tokens=2)
            check("length", answer[:2] == ("one two ", "LENGTH"), f"{answer[0]!r}, {answer[1]}")
            answer = await generate(stub, "one two three four", stop=["wo th"])
            check("stop string", answer[:2] == ("one t", "STOP_STRING"), f"{answer[0]!r}, {answer[1]}")

        ids = worker("--triton-model", "reverse", "--triton.prompt", "token-ids", "--triton.tokenizer", "smollm2-135m")
        async with grpc.aio.insecure_channel(ids.target) as channel:
            stub = rpc.GenerationServiceStub(channel)
            await serving(stub)
            answer = await generate(stub, "one two three")
            check("token ids", answer[0] == " three twoone", f"{answer[0]!r}, {answer[2].prompt_tokens} tokens in and out")
        ids.close()

        wrong = worker("--triton-model", "words", "--triton.inputs", "text=prompt", "--triton.outputs", "text=answer")
        async with grpc.aio.insecure_channel(wrong.target) as channel:
            stub = rpc.GenerationServiceStub(channel)
            said = await refusal(stub, "no input prompt")
            check("mismatch", said.startswith("UNAVAILABLE") and "no output answer" in said, said)
        wrong.close()

        async with grpc.aio.insecure_channel(words.target) as channel:
            await load(rpc.GenerationServiceStub(channel), triton, words, options.requests, generate, serving, grpc)
    finally:
        for running in workers:
            running.close()
        triton.close()
    print(f"\n{len(failures)} not as expected; log: {options.log}" if failures else "\nall as expected")
    return 1 if failures else 0


async def load(stub, triton, worker, requests, generate, serving, grpc):
    text = " ".join(f"w{i}" for i in range(100))  # 2 seconds
    outcomes, messages, again = collections.Counter(), set(), 0

    async def one(i):
        nonlocal again
        kind = i % 4
        while True:
            answer = await generate(
                stub, text, timeout=0.5 if kind == 1 else 60, cancel_after=10 if kind == 0 else None
            )
            if isinstance(answer, tuple):
                outcomes["complete" if answer[0].split() == text.split() else "WRONG TEXT"] += 1
                return
            if isinstance(answer, grpc.aio.AioRpcError) and answer.code() == grpc.StatusCode.UNAVAILABLE:
                messages.add(answer.details())
                again += 1
                await asyncio.sleep(0.5)
                continue
            outcomes[answer if isinstance(answer, str) else answer.code().name] += 1
            return

    async def kill():
        await asyncio.sleep(1.5)
        triton.kill()
        await asyncio.sleep(2)
        triton.start()

    began = time.monotonic()
    await asyncio.wait_for(asyncio.gather(kill(), *(one(i) for i in range(requests))), 300)
    seconds = time.monotonic() - began
    check("every request ended", sum(outcomes.values()) == requests,
          f"{requests} requests in {seconds:.0f} s: " + ", ".join(f"{n} {name}" for name, n in sorted(outcomes.items())))
    check("complete where nothing was in the way", outcomes["complete"] >= requests // 2 and not outcomes["WRONG TEXT"],
          f"{outcomes['complete']} complete; {again} sent again, as the server was dead")
    check("clear errors", messages and all("Triton at 127.0.0.1" in m or "words" in m for m in messages), "; ".join(sorted(messages)))
    live, deadline = "", time.monotonic() + 10
    while live != "0 " and time.monotonic() < deadline:
        answer = await generate(stub, "?live")
        live = answer[0] if isinstance(answer, tuple) else ""
        await asyncio.sleep(0.1)
    check("nothing left at the server", live == "0 ", f"{live or 'it does not say how many '}requests run")
    running, waiting = worker.metric("sluice_requests_running"), worker.metric("sluice_requests_waiting")
    check("nothing left at the worker", running == waiting == 0, f"{running:.0f} running, {waiting:.0f} waiting")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", default=str(ROOT / "sluice"))
    parser.add_argument("--environment", type=pathlib.Path, default=ROOT / "target/triton")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--log", default=str(ROOT / "target/triton.log"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.environment = arguments.environment.absolute()
    if not arguments.inside:
        arguments.environment.parent.mkdir(parents=True, exist_ok=True)
        environment(arguments.environment)
        paths = dict(os.environ, PYTHONPATH=str(arguments.environment / "stubs"))
        sys.exit(subprocess.run([arguments.environment / "bin/python", __file__, *sys.argv[1:], "--inside"], env=paths).returncode)
    sys.exit(asyncio.run(main(arguments)))
