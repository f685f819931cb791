"""Webhook: one signed address that takes posts from anything else: a review site, a help desk, a script. Free.

Settings of a feed (`platform = "webhook"`):

    host               the address of this machine that is listened on (127.0.0.1); 0.0.0.0 for all of them
    port               the port (8760); each webhook needs its own
    path               the path that takes requests (/mentions)
    env_prefix         what the secret's variable begins with (WEBHOOK): WEBHOOK_SECRET, 32 characters or more, signs
                       requests; WEBHOOK_SECRET_OLD, if it is set, is believed as well, while senders change over
    window_seconds     how far from now a request may have been signed, before or after (300)
    max_bytes          how long the body of a request may be (1000000)
    match              keep only the rows that match a watch (false: every row is kept)
    default_platform   where a row was posted that does not say (webhook)
    account            the account that answers are sent from where a row names none ("")
    allow_hosts        hosts ("host" or "host:port") whose callback may be plain http; others but this machine's own
                       need https ([])
    callback_url       where answers are posted, signed in the same way ("": they are made by hand)
    callback_timeout   how many seconds one answer may take (10)
    limit              how many characters an answer may have, as people see them (0: any number)

What is heard: each row of each signed request, in the columns of `listeners.rows`; `listeners.webhook.rows` says what
a body may be. Every row is kept, because a sender that signs has chosen it, and was told that it is kept; a watch says
what it is about. A row with an id that came before counts as an edit; removals take posts away. 202 is answered once
the rows are stored, 503 where that takes too long: the sender then sends the same again. Bad rows are told by number.

What cannot be done: what a sender never sent, or gave up sending, cannot be fetched from here. It speaks plain HTTP:
let a proxy with TLS stand before it where requests come from elsewhere. Two feeds cannot share a port.
"""

from __future__ import annotations

import ipaddress
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from listeners.contract import Capability, Compiled, FeedContext, Finding, Posted, Shape
from listeners.errors import ListenerError, Permanent, SettingRefused
from listeners.funnel import EndedError, Funnel
from listeners.mention import Batch, Mention
from listeners.pacing import Pacer
from listeners.query import Query
from listeners.rows import tag_row
from listeners.settings import FeedSettings, check_env_prefix, check_settings, check_web_address, read_secret
from listeners.text import count_graphemes
from listeners.webhook.callback import Caller
from listeners.webhook.door import Door, bind
from listeners.webhook.reception import CURSOR, Reception, Sorted
from listeners.webhook.rows import Defaults, read_body
from listeners.webhook.signature import LEAST_SECRET, Verifier

PLATFORM: Final = "webhook"
_SIGN_OF_LIFE: Final = 60.0  # seconds
_LOOK: Final = 0.5  # seconds: how late a stop may be noticed
_QUEUED: Final = 64  # batches
_PROBE_SECONDS: Final = 5.0


class Settings(FeedSettings):
    """Settings of one webhook; the module's docstring explains them."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8760, ge=1, le=65_535)
    path: str = Field(default="/mentions", pattern=r"^/[A-Za-z0-9._~/-]*$")
    env_prefix: Annotated[str, AfterValidator(check_env_prefix)] = "WEBHOOK"
    window_seconds: int = Field(default=300, ge=1, le=86_400)
    max_bytes: int = Field(default=1_000_000, ge=1_000, le=20_000_000)
    match: bool = False
    default_platform: str = Field(default=PLATFORM, min_length=1, max_length=100)
    account: str = ""
    allow_hosts: tuple[str, ...] = ()
    callback_url: str = ""
    callback_timeout: float = Field(default=10, gt=0, le=300)
    limit: int = Field(default=0, ge=0)

    @field_validator("callback_url")
    @classmethod
    def _check_callback(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        parts = urlsplit(check_web_address(value))
        host = parts.hostname or ""
        allowed = {each.strip().lower() for each in info.data.get("allow_hosts", ())}
        if parts.scheme != "https" and not _is_loopback(host) and not allowed & {host, parts.netloc.lower()}:
            raise ValueError("it must begin with https://, unless its host is this machine or is named in allow_hosts")
        return value


def open_platform(settings: Mapping[str, object], context: FeedContext) -> Webhook:
    """Open one webhook; no network is touched, and nothing is listened on before `listen`.

    Raises:
        SettingRefused: a setting cannot work, or the secret is missing or too short.
    """
    checked = check_settings(Settings, settings)
    return Webhook(checked, context, _read_secrets(checked, context))


def compile_query(query: Query) -> Compiled:
    """Return that nothing is asked: senders choose what they send."""
    del query
    sentence = (
        "Every row that is sent is heard, and a watch says what it is about; with match = true, only matches are."
    )
    return Compiled((), sentence)


class Webhook:
    """One webhook."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, context: FeedContext, secrets: Sequence[str]) -> None:
        """Take checked settings, and the secrets: the present one first."""
        self._settings = settings
        self._context = context
        self._secrets = tuple(secrets)
        self._pacer = Pacer(context.pause)
        self._defaults = Defaults(context.feed, settings.default_platform, context.now)
        self._open_doors: list[_Running] = []

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Take requests until closed; see `Listens`. Senders repeat what was not stored, so no cursor is needed."""
        del cursor
        with self._opened() as funnel:
            yield Batch(cursor=CURSOR)
            told_at = time.monotonic()
            while not (self._pacer.is_closed() or self._context.pause(0)):
                try:
                    batches = funnel.take(1, _LOOK)
                except EndedError:
                    return
                if batches or time.monotonic() - told_at >= _SIGN_OF_LIFE:
                    yield from batches or [Batch(cursor=CURSOR)]
                    told_at = time.monotonic()

    def capability(self, mention: Mention) -> Capability:
        """By the callback, where there is one; else by hand, where the row had an address."""
        if self._settings.callback_url:
            return Capability("api", "The answer goes to the callback of this webhook.", account=self._account(mention))
        if mention.url:
            return Capability("by_hand", "This webhook takes no answers; write it where the post is.", url=mention.url)
        return Capability("none", "This post came without an address, and its webhook takes no answers.")

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count characters as people see them (grapheme clusters), against the limit of the settings."""
        del mention  # one limit for all
        prepared = unicodedata.normalize("NFC", text).strip()
        count, limit = count_graphemes(prepared), self._settings.limit
        problem = ""
        if not prepared:
            problem = "There is no text to post."
        elif limit and count > limit:
            problem = f"This is too long: {count} of {limit} characters."
        return Shape(prepared, count, limit, problem=problem)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post to the callback, once; see `Replies`."""
        if not self._settings.callback_url:
            raise Permanent("This webhook takes no answers; write it by hand where the post is.")
        told = {
            "in_reply_to": after.native_id if after else mention.native_id,
            "platform": mention.platform,
            "text": text,
            "send_key": send_key,
            "account": self._account(mention),
            "author": mention.author.handle,
        }
        return self._callback().answer(told)

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Look at nothing again: senders tell of edits and removals by themselves."""
        del mentions
        return Batch()

    def check(self) -> list[Finding]:
        """Try whether the port can be listened on, and whether the callback is there."""
        findings = [self._check_port()]
        if self._settings.callback_url:
            findings.append(self._callback().check())
        return findings

    def close(self) -> None:
        """Take no more requests; a running `listen` ends."""
        self._pacer.close()
        for running in tuple(self._open_doors):
            running.close()

    @contextmanager
    def _opened(self) -> Iterator[Funnel[Batch]]:
        """Listen on the port while the context lasts."""
        settings, context = self._settings, self._context
        funnel: Funnel[Batch] = Funnel(_QUEUED)
        verifier = Verifier(self._secrets, settings.window_seconds, context.now)
        reception = Reception(context.feed, verifier, self._sort, funnel)
        door = Door(settings.path, settings.max_bytes, reception.receive, funnel.end)
        door.open(settings.host, settings.port)
        running = _Running(funnel, reception, door)
        self._open_doors.append(running)
        try:
            yield funnel
        finally:
            self._open_doors.remove(running)
            running.close()

    def _sort(self, body: bytes) -> Sorted:
        """Read a request's body and ask the watches."""
        told = read_body(body, self._defaults)
        tagged = [tag_row(mention, self._context.watches) for mention in told.mentions]
        kept = tuple(mention for mention in tagged if mention.watches or not self._settings.match)
        return Sorted(told, kept, len(tagged) - len(kept))

    def _account(self, mention: Mention) -> str:
        return mention.account or self._settings.account

    def _callback(self) -> Caller:
        settings = self._settings
        return Caller(settings.callback_url, self._secrets[0], settings.callback_timeout, self._context.now)

    def _check_port(self) -> Finding:
        host, port, path = self._settings.host, self._settings.port, self._settings.path
        place = f"http://{_in_address(host)}:{port}{path}"
        try:
            bind(host, port).close()
        except ListenerError as err:
            if Caller(self._own_address(), self._secrets[0], _PROBE_SECONDS, self._context.now).is_webhook():
                return Finding(is_good=True, sentence=f"A Cuecard with the same secret listens at {place} already.")
            remedy = "Choose another host or port, or stop the program that uses this one."
            return Finding(is_good=False, sentence=str(err), remedy=remedy)
        warning = "" if _is_loopback(host) else "; it speaks plain HTTP, so let a proxy with TLS stand before it"
        return Finding(is_good=True, sentence=f"Requests can be taken at {place}{warning}.")

    def _own_address(self) -> str:
        """Return where this machine finds the webhook; one that listens on all addresses is on the loopback, too."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)  # noqa: S104 - to ask
        return f"http://{_in_address(host)}:{self._settings.port}{self._settings.path}"


@dataclass(frozen=True, slots=True)
class _Running:
    """What one `listen` holds open."""

    funnel: Funnel[Batch]
    reception: Reception
    door: Door

    def close(self) -> None:
        """Free the port; whoever waits for a word is told to send again."""
        self.reception.close()
        self.funnel.close()
        self.door.close()


def _read_secrets(settings: Settings, context: FeedContext) -> list[str]:
    """Return the secret, and the former one where there is one.

    Raises:
        SettingRefused: it is missing, or one is too short to be safe.
    """
    secrets = []
    for name, is_needed in (("SECRET", True), ("SECRET_OLD", False)):
        secret = read_secret(context.secrets, settings.env_prefix, name, is_needed=is_needed)
        if secret and len(secret) < LEAST_SECRET:
            raise SettingRefused(
                f"{settings.env_prefix}_{name} is too short to be safe: it needs {LEAST_SECRET} characters or more; "
                "`openssl rand -hex 32` makes one.",
                key="env_prefix",
            )
        secrets += [secret] if secret else []
    return secrets


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
