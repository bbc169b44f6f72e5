"""Serves a GGUF file over HTTP until it is ended. Run by an interpreter that has xllamacpp and nothing of apm's.

Usage: serving.py WEIGHTS PORT CONTEXT_TOKENS
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from pathlib import Path

HEAD_BYTES = 16 * 2**20
"""The metadata stands at the beginning of the file, before gigabytes of figures."""
KEY = b"tokenizer.chat_template"
LENGTH_AFTER, LENGTH_BYTES = 4, 8
"""A string's length follows the number of its type."""

BRACES = (
    '{{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}}',
    '{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}',
)
LAST_RESULT = "{{- '<|im_end|>\\n' }}\n        {%- endif %}\n    {%- endif %}\n{%- endfor %}"
USE_RESULT = LAST_RESULT.replace(
    "'<|im_end|>", "'\\nUse this result to answer in plain text. Do not repeat the same call.<|im_end|>"
)


def chat_template(weights: Path) -> str:
    """The file's own template, mended: these weights never learnt their `<tool_call>` token, so calls come as text,
    a doubled brace shows them a form that is no JSON, and after a tool's result they call it once more."""
    with weights.open("rb") as file:
        head = file.read(HEAD_BYTES)
    at = head.index(KEY) + len(KEY) + LENGTH_AFTER
    start = at + LENGTH_BYTES
    text = head[start : start + int.from_bytes(head[at:start], "little")].decode("utf-8")
    return text.replace("tool_call>", "call>").replace(*BRACES).replace(LAST_RESULT, USE_RESULT)


def serve(weights: Path, port: int, context: int) -> None:
    """Answers on loopback, one request after the other, until it is ended or whoever started it is gone."""
    xllamacpp = import_module("xllamacpp")
    settings = xllamacpp.CommonParams()
    settings.model.path = str(weights)
    settings.hostnames, settings.port = ["127.0.0.1"], port
    settings.n_ctx, settings.n_parallel = context, 1
    settings.use_jinja, settings.chat_template = True, chat_template(weights)
    settings.sampling.temp, settings.sampling.seed = 0.0, 1
    # Threads that wait for each other spin: on cores that others use too, fewer of them are many times faster.
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) // 2)
    server = xllamacpp.Server(settings)
    print("listening at", server.listening_address, flush=True)
    # Whoever was to end this may have been killed: half a gigabyte must not stay behind.
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
