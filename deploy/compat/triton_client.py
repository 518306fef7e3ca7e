"""Triton's own Python client against the router's gRPC port.

Usage: triton_client.py HOST:PORT, with the environment of checks.py
Prints a row for each check; exit status 1 if one failed.
"""
import importlib.metadata
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import checks

target = sys.argv[1]
client = triton.InferenceServerClient(target)
check = checks.Checks("tritonclient " + importlib.metadata.version("tritonclient"))


model = client.get_model_repository_index().models[0].name


def text(name, value):
    tensor = triton.InferInput(name, [1], "BYTES")
    tensor.set_data_from_numpy(np.array([value.encode()], dtype=object))
    return tensor


def boolean(name, value):
    tensor = triton.InferInput(name, [1], "BOOL")
    tensor.set_data_from_numpy(np.array([value]))
    return tensor


def said(result):
    return result.as_numpy("text_output")[0].decode()


PROMPT = text("text_input", "The capital of France is")
GREEDY = {"temperature": 0, "max_tokens": 8}


@check
def state():
    """liveness, readiness, metadata, configuration"""
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
    assert not client.is_model_ready("gpt-9")
    assert client.get_model_config(model).config.model_transaction_policy.decoupled
    inputs = [i.name for i in client.get_model_metadata(model).inputs]
    assert "text_input" in inputs
    return f"{client.get_server_metadata().name}, {model}, {', '.join(inputs)}"


@check
def unary():
    """infer with parameters"""
    result = client.infer(model, [PROMPT], request_id="r1", parameters=GREEDY)
    assert result.get_response().id == "r1"
    return repr(said(result))


@check
def unary_json():
    """infer with sampling_parameters, the prompt included"""
    result = client.infer(
        model, [PROMPT, text("sampling_parameters", json.dumps({"temperature": "0", "max_tokens": 8})),
                boolean("exclude_input_in_output", False), boolean("stream", False)])
    assert said(result) == "The capital of France is" + said(
        client.infer(model, [PROMPT], parameters=GREEDY))


@check
def token_ids():
    """infer on token ids"""
    ids = triton.InferInput("input_ids", [1, 4], "INT32")
    ids.set_data_from_numpy(np.array([[504, 3575, 282, 4649]], dtype=np.int32))
    result = client.infer(model, [ids], parameters=GREEDY | {"ignore_eos": True},
                          outputs=[triton.InferRequestedOutput("text_output"),
                                   triton.InferRequestedOutput("output_ids"),
                                   triton.InferRequestedOutput("finish_reason")])
    assert result.as_numpy("output_ids").shape == (8,)
    assert result.as_numpy("finish_reason")[0] == b"length"
    return result.as_numpy("output_ids").tolist()


@check
def streaming():
    """20 requests over one stream, each with its final response"""
    results = queue.Queue()
    whole = said(client.infer(model, [PROMPT], parameters=GREEDY))
    with triton.InferenceServerClient(target) as streamer:
        streamer.start_stream(lambda result, error: results.put((result, error)))
        for i in range(20):
            streamer.async_stream_infer(model, [PROMPT], request_id=str(i), parameters=GREEDY,
                                        enable_empty_final_response=True)
        texts, ended, parts = {}, 0, 0
        while ended < 20:
            result, error = results.get(timeout=2 * checks.PATIENCE)
            assert error is None, error
            response = result.get_response()
            if response.parameters["triton_final_response"].bool_param:
                ended += 1
            else:
                parts += 1
                texts[response.id] = texts.get(response.id, "") + said(result)
        streamer.stop_stream()
    assert len(texts) == 20 and set(texts.values()) == {whole}, (texts, whole)
    return f"{parts} parts"


@check
def stream_cancelled():
    """a stream that is cancelled ends its requests; their blocks are freed"""
    results = queue.Queue()
    with triton.InferenceServerClient(target) as streamer:
        streamer.start_stream(lambda result, error: results.put((result, error)))
        streamer.async_stream_infer(
            model, [PROMPT], parameters={"max_tokens": 1500, "ignore_eos": True})
        for _ in range(3):
            assert results.get(timeout=checks.PATIENCE)[1] is None
        checks.await_held(lambda requests, blocks: blocks > 0)
        streamer.stop_stream(cancel_requests=True)
    return checks.await_idle()


@check
def unary_cancelled():
    """an asynchronous request that is cancelled; its blocks are freed"""
    results = queue.Queue()
    running = client.async_infer(
        model, [PROMPT], callback=lambda result, error: results.put((result, error)),
        parameters={"max_tokens": 1500, "ignore_eos": True})
    checks.await_held(lambda requests, blocks: blocks > 0)
    running.cancel()
    _, error = results.get(timeout=checks.PATIENCE)
    assert error.status() == "StatusCode.CANCELLED", error
    return error.status() + ", " + checks.await_idle()


@check
def deadline():
    """the client's timeout, kept or refused at once as too short"""
    try:
        client.infer(model, [PROMPT], client_timeout=0.5,
                     parameters={"max_tokens": 1500, "ignore_eos": True})
    except InferenceServerException as e:
        assert e.status() in (
            "StatusCode.DEADLINE_EXCEEDED", "StatusCode.RESOURCE_EXHAUSTED"), e
        return e.status()
    raise AssertionError("no timeout")


@check
def errors():
    """errors say what is wrong"""
    told = []
    for arguments in (dict(model_name="gpt-9"), dict(parameters={"temperature": 9}),
                      dict(parameters={"top_p": "high"}), dict(inputs=[])):
        try:
            client.infer(**{"model_name": model, "inputs": [PROMPT]} | arguments)
        except InferenceServerException as e:
            told.append(e.status())
    assert told == ["StatusCode.NOT_FOUND"] + 3 * ["StatusCode.INVALID_ARGUMENT"], told


check.exit()
