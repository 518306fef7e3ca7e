"""OpenAI's own Python client against the router's HTTP edge.

Usage: openai_client.py http://HOST:PORT, with the environment of checks.py
Prints a row for each check; exit status 1 if one failed.
"""
import json
import sys
import threading
import urllib.error
import urllib.request

import openai

import checks

base = sys.argv[1]
client = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0, timeout=300)
check = checks.Checks("openai " + openai.__version__)
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


models = client.models.list().data
model = models[0].id


@check
def listing():
    """models.list and models.retrieve"""
    assert client.models.retrieve(model).id == model
    return ", ".join(m.id for m in models)


@check
def chat():
    """chat, not streamed"""
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=24)
    assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    return repr(answer.choices[0].message.content)


@check
def chat_stream():
    """chat, streamed, says what the other says"""
    whole = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=24)
    stream = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=24, stream=True,
        stream_options={"include_usage": True})
    text, usage, reasons, chunks = "", None, [], 0
    for chunk in stream:
        chunks += 1
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
    assert text == whole.choices[0].message.content, (text, whole)
    assert reasons == [whole.choices[0].finish_reason]
    assert usage.completion_tokens == whole.usage.completion_tokens
    return f"{chunks} chunks"


@check
def helper_stream():
    """chat by the client's streaming helper"""
    with client.chat.completions.stream(
            model=model, messages=QUESTION, temperature=0, max_tokens=24) as stream:
        for _ in stream:
            pass
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content


@check
def choices_and_seeds():
    """n = 3 with a seed, twice the same"""
    def ask():
        answer = client.chat.completions.create(
            model=model, messages=QUESTION, n=3, seed=7, max_tokens=16)
        return [c.message.content for c in sorted(answer.choices, key=lambda c: c.index)]
    first = ask()
    assert first == ask() and len(first) == 3
    return f"{len(set(first))} different"


@check
def stops():
    """stop strings"""
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Count: 1, 2, 3, 4, 5, 6, 7, 8"}],
        temperature=0, max_tokens=64, stop=[",", "."])
    content = answer.choices[0].message.content
    assert "," not in content and "." not in content
    return repr(content)


@check
def logprobs():
    """log-probabilities of a chat"""
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=8, logprobs=True, top_logprobs=3)
    content = answer.choices[0].logprobs.content
    assert len(content) == answer.usage.completion_tokens
    assert all(t.logprob <= 0 and len(t.top_logprobs) == 3 for t in content)
    assert all(t.top_logprobs[0].logprob >= t.logprob - 1e-6 for t in content)
    joined = b"".join(bytes(t.bytes) for t in content).decode()
    assert joined.startswith(answer.choices[0].message.content), joined
    return " ".join(repr(t.token) for t in content)


@check
def schema():
    """response_format json_schema"""
    schema = {"type": "object", "properties": {
        "city": {"type": "string", "maxLength": 20}, "population": {"type": "integer"}},
        "required": ["city", "population"], "additionalProperties": False}
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Describe Paris as JSON."}],
        temperature=0, max_tokens=128,
        response_format={"type": "json_schema",
                         "json_schema": {"name": "city", "strict": True, "schema": schema}})
    assert answer.choices[0].finish_reason == "stop"
    said = json.loads(answer.choices[0].message.content)
    assert set(said) == {"city", "population"} and isinstance(said["population"], int)
    return answer.choices[0].message.content


@check
def json_object():
    """response_format json_object"""
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Say {\"a\": 1}"}],
        temperature=0, max_tokens=256, response_format={"type": "json_object"})
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)
    return answer.choices[0].finish_reason


@check
def vllm_fields():
    """vLLM's further fields by extra_body"""
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=8, temperature=1,
        extra_body={"top_k": 1, "min_p": 0.1, "repetition_penalty": 1.05, "ignore_eos": True,
                    "min_tokens": 8, "priority": 5, "return_token_ids": True,
                    "structured_outputs": {"choice": ["Paris", "Rome"]}})
    assert answer.choices[0].message.content in ("Paris", "Rome")
    return answer.choices[0].message.content


@check
def completion():
    """completion of two prompts, echoed"""
    answer = client.completions.create(
        model=model, prompt=["Once upon", "The sun"], max_tokens=8, temperature=0, echo=True)
    assert answer.object == "text_completion" and len(answer.choices) == 2
    assert answer.choices[1].text.startswith("The sun")
    return repr(answer.choices[0].text)


@check
def completion_stream():
    """completion, streamed, of token ids"""
    said = client.post("/../tokenize", cast_to=object, body={"model": model, "prompt": "Once upon"})
    stream = client.completions.create(
        model=model, prompt=said["tokens"], max_tokens=8, temperature=0, stream=True)
    text = "".join(c.choices[0].text for c in stream)
    whole = client.completions.create(model=model, prompt="Once upon", max_tokens=8, temperature=0)
    assert text == whole.choices[0].text, (text, whole)
    return repr(text)


@check
def scored():
    """echo with logprobs and max_tokens 0: a prompt is scored"""
    answer = client.completions.create(
        model=model, prompt="The capital of France is Paris", max_tokens=0, echo=True, logprobs=1)
    told = answer.choices[0].logprobs
    assert "".join(told.tokens) == "The capital of France is Paris" == answer.choices[0].text
    assert told.token_logprobs[0] is None and all(p <= 0 for p in told.token_logprobs[1:])
    return f"{sum(told.token_logprobs[1:]):.2f}"


def refused(kind, **arguments):
    try:
        client.chat.completions.create(**{"model": model, "messages": QUESTION} | arguments)
    except kind as e:
        return e
    raise AssertionError(f"not refused: {arguments}")


@check
def errors():
    """errors as the client's own exceptions"""
    assert refused(openai.NotFoundError, model="gpt-9").code == "model_not_found"
    assert refused(openai.BadRequestError, temperature=9).param == "temperature"
    assert refused(openai.BadRequestError, messages=[]).param == "messages"
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert refused(openai.BadRequestError, tools=tools).param == "tools"
    long = [{"role": "user", "content": "word " * 50_000}]
    return refused(openai.BadRequestError, messages=long).code


def posted(body, kind="application/json"):
    """Status and error of a body that no client of OpenAI's would send."""
    request = urllib.request.Request(
        base + "/v1/chat/completions", data=body, headers={"Content-Type": kind}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, {}
    except urllib.error.HTTPError as e:
        with e:
            return e.code, json.load(e)["error"]


@check
def bad_json():
    """no JSON, no object, an empty body"""
    for body in b'{"messages": [', b"[1, 2]", b"", b"\xff\xfe":
        status, error = posted(body)
        assert status == 400 and error["type"] == "invalid_request_error", (body, status, error)
    return error["message"]


@check
def wrong_types():
    """wrong types, each named"""
    for wrong, value in dict(messages="hi", temperature="warm", max_tokens=1.5, stream="yes", n=0,
                             stop=7, logit_bias=[1]).items():
        body = {"model": model, "messages": QUESTION} | {wrong: value}
        status, error = posted(json.dumps(body).encode())
        assert status == 400 and error["param"] == wrong, (wrong, status, error)
    return error["message"]


@check
def oversized():
    """a body of 5 MiB, and the next request"""
    try:
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "x" * (5 << 20)}], max_tokens=1)
        raise AssertionError("not refused")
    except openai.APIStatusError as e:
        assert e.status_code == 413, e
        told = e.message
    client.chat.completions.create(model=model, messages=QUESTION, max_tokens=1)
    return told


@check
def hang_up():
    """a client that hangs up in mid-stream ends its request; its blocks are freed"""
    stream = client.chat.completions.create(
        model=model, messages=QUESTION, stream=True, max_tokens=1500,
        extra_body={"ignore_eos": True})
    for _ in zip(range(3), stream):
        pass
    checks.await_held(lambda requests, blocks: blocks > 0)
    stream.close()
    return checks.await_idle()


@check
def together():
    """100 streams at a time"""
    texts, errors = [], []

    def ask(i):
        try:
            stream = client.chat.completions.create(
                model=model, messages=QUESTION, stream=True, temperature=0, max_tokens=16)
            texts.append("".join(c.choices[0].delta.content or "" for c in stream if c.choices))
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0]
    assert len(set(texts)) == 1 and len(texts) == 100, set(texts)
    return checks.await_idle()


check.exit()
