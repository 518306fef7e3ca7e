#!/usr/bin/env python3
"""Streams an answer from a router or a worker, with nothing but grpcio.

    python3 -m venv target/python && . target/python/bin/activate
    pip install grpcio-tools
    python3 -m grpc_tools.protoc -I proto/src/main/proto --python_out=target/python --grpc_python_out=target/python \
        sluice/v1/generation.proto
    PYTHONPATH=target/python python3 docs/examples/generate.py localhost:9090 "Name three primary colours."
"""
import sys

import grpc
from sluice.v1 import generation_pb2 as pb
from sluice.v1 import generation_pb2_grpc as rpc

target, question = sys.argv[1:3]
request = pb.GenerateRequest(
    chat=pb.ChatMessages(messages=[pb.ChatMessage(role="user", content=question)]),
    sampling=pb.Sampling(temperature=0),
    stopping=pb.Stopping(max_tokens=64),
)
with grpc.insecure_channel(target) as channel:
    for response in rpc.GenerationServiceStub(channel).Generate(request, timeout=60):
        event = response.WhichOneof("event")
        if event == "delta":
            print(response.delta.text, end="", flush=True)
        elif event == "finished":
            t = response.finished.timings
            print(f"\n[queue {t.queue_nanos / 1e6:.1f} ms, TTFT {t.ttft_nanos / 1e6:.1f} ms, ITL {t.itl_mean_nanos / 1e6:.1f} ms]")
