"""Writes the tokenizer of a fleet's model, as its workers send it, into a folder for Hugging Face's libraries.

Usage: fetch_tokenizer.py FOLDER, with the environment of checks.py
"""
import base64
import json
import os
import pathlib
import subprocess
import sys


def call(target, method):
    """The messages that grpcurl prints, one JSON object after the other."""
    text = subprocess.run([os.environ["GRPCURL"], "-plaintext", target, method],
                          check=True, capture_output=True, text=True, timeout=60).stdout
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        message, end = decoder.raw_decode(text)
        yield message
        text = text[end:]


worker = next(call(os.environ["SLUICE_TARGET"], "sluice.v1.FleetService/ListWorkers"))["workers"][0]["address"]
parts = list(call(worker, "sluice.v1.WorkerService/FetchTokenizer"))
info = parts[0]["info"]
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "tokenizer.json").write_bytes(
    b"".join(base64.b64decode(part.get("tokenizer_json", "")) for part in parts))
tokens = {name: info[name] for name in ("bos_token", "eos_token", "chat_template") if info.get(name)}
(folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | tokens))
