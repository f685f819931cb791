"""One question to an OpenAI-compatible endpoint (`POST …/chat/completions`), within a deadline and a size, or an error.

No redirects, no proxy, no retry, no streaming: whatever is not one plain answer in time is no answer. The request and
the answer are those of the chat completions reference (platform.openai.com/docs/api-reference/chat), of which only
`model`, `messages`, `temperature`, `max_tokens`, and `choices[0]` with its `message` and `finish_reason` are used.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from listeners.errors import ListenerError
from listeners.lookup import Lookup, resolve_host
from listeners.wire import Wire

MOST_BYTES = 64_000
_CHUNK = 8_192
_MOST_TOKENS = 300
_PATH = "/chat/completions"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class EndpointError(Exception):
    """The endpoint gave no usable answer; `sentence` says why, without the key or what was asked."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers: `url` up to '/v1', its name there, a key ('' for none), and how long to wait in all."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_seconds: float = 1.5


def is_safe_address(url: str) -> bool:
    """Say whether an endpoint may be asked: https, or plain http on this machine; no password, no query."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_here = parts.hostname in _LOOPBACK
    is_known = parts.scheme == "https" or (parts.scheme == "http" and is_here)
    return bool(is_known and parts.hostname and "@" not in parts.netloc and not parts.query and port != 0)


def ask(endpoint: Endpoint, messages: Sequence[Mapping[str, str]]) -> str:
    """Return what the model says, as it came.

    Raises:
        EndpointError: it could not be asked, took too long, or did not answer with one plain text.
    """
    if not is_safe_address(endpoint.url):
        raise EndpointError("The drafter's address must begin with https:// (plain http only for this machine).")
    body = {
        "model": endpoint.model,
        "messages": list(messages),
        "temperature": 0.3,
        "max_tokens": _MOST_TOKENS,
        "stream": False,
    }
    return _text_of(_post(endpoint, json.dumps(body).encode()))


def _post(endpoint: Endpoint, body: bytes) -> bytes:
    """Send the question and return the answer's body.

    Raises:
        EndpointError: with whatever the network, or the other end, made of it.
    """
    ends_at = time.monotonic() + endpoint.timeout_seconds
    parts = urlsplit(endpoint.url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    late = EndpointError(f"The drafter took longer than {endpoint.timeout_seconds:g} s.")
    try:
        addresses = Lookup(resolve_host, host, port).wait(endpoint.timeout_seconds)
        with Wire(ends_at - time.monotonic()) as wire:
            connection = wire.connect(addresses, port, host, ssl.create_default_context() if is_secure else None)
            try:
                return _exchange(endpoint, connection, body)
            finally:
                connection.close()
                if wire.is_cut:  # a cut answer of unknown length looks like a whole one, or like a bad one
                    raise late
    except (HTTPError, HTTPException, ListenerError, OSError, UnicodeError) as err:
        if time.monotonic() >= ends_at:
            raise late from err
        raise EndpointError("The drafter can not be reached.") from err


def _exchange(endpoint: Endpoint, connection: HTTPConnection, body: bytes) -> bytes:
    parts = urlsplit(endpoint.url)
    path = parts.path.rstrip("/")
    headers = {"Host": parts.netloc, "Content-Type": "application/json", "Accept": "application/json"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    target = path if path.endswith(_PATH) else path + _PATH
    connection.request("POST", target, body=body, headers=headers, preload_content=False)
    response = connection.getresponse()
    try:
        return _read(response)
    finally:
        response.close()


def _read(response: BaseHTTPResponse) -> bytes:
    if response.status != 200:
        raise EndpointError(f"The drafter answers {response.status}.")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise EndpointError("The drafter answers with something other than JSON.")
    body = bytearray()
    while chunk := response.read(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > MOST_BYTES:
            raise EndpointError(f"The drafter sent more than {MOST_BYTES:,} bytes.")
    return bytes(body)


def _text_of(body: bytes) -> str:
    """Return the one plain text of an answer."""
    try:
        answer = json.loads(body)
        (choice,) = answer["choices"]
        message = choice["message"]
        text, ended = message["content"], choice.get("finish_reason")
        has_tools = bool(message.get("tool_calls") or message.get("function_call"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        raise EndpointError("The drafter's answer is not what was agreed on.") from err
    if has_tools or not isinstance(text, str) or ended not in {"stop", None}:
        raise EndpointError("The drafter's answer is not one whole text.")
    return text
