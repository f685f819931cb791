"""Replay: mentions from files, through the same door as every platform. For rehearsals, imports and tests.

Settings of a feed (`platform = "replay"`):

    path           a file of JSON lines, or of CSV if its name ends in .csv or .tsv; `listeners.rows` has the columns
    paths          or several such files, played one after the other
    pace_seconds   seconds between two mentions (0: as fast as they are stored)
    stage_url      where replies are posted, for a rehearsal ("": a replayed post cannot be answered)
    account        the account that replies are posted from ("": @ and the brand's name)
    limit          how many characters a reply may have (280; 0: any number)
    threads        whether a longer reply may be posted as a thread, each part within the limit (false)

What is heard: every row, whether a watch matches it or not, because the file was asked for by name; watches that match
are noted. A row with an id that came before counts as an edit. A line that cannot be read is told with its number.
The feed ends with the last file. Text keeps every character, also those that are no text elsewhere.

A reply is one POST of JSON to `stage_url`: {"in_reply_to", "platform", "text", "send_key", "account", "author"}, and
with {"after": the id of the part before it} where it goes on a thread. The stage answers {"id", "url"}, or a 4xx with
{"error": a sentence}, and with {"by_hand_url": an address} where only a person may answer, there.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import urllib3
from pydantic import Field, field_validator
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from listeners.contract import Capability, Compiled, FeedContext, Finding, Posted, Shape
from listeners.errors import Permanent, RateLimited, RefusedByRules, Retryable, SettingRefused, Unknown
from listeners.fetch import retry_after_seconds
from listeners.mention import Batch, Mention
from listeners.pacing import Pacer
from listeners.parts import cut_parts
from listeners.query import Query
from listeners.rows import Refusal, number_rows, read_lines, read_rows, tag_row
from listeners.settings import FeedSettings, check_settings, check_web_address
from listeners.text import count_graphemes, decode_json, whole_characters

__all__ = ["Refusal", "Replay", "Settings", "open_platform", "read_lines", "read_rows"]

PLATFORM: Final = "replay"
BATCH: Final = 256
_STAGE_SECONDS: Final = 10.0
_MAX_ANSWER: Final = 100_000


class Settings(FeedSettings):
    """Settings of one replay; the module's docstring explains them."""

    path: str = ""
    paths: tuple[str, ...] = ()
    pace_seconds: float = Field(default=0, ge=0, le=86_400)
    stage_url: str = ""
    account: str = ""
    limit: int = Field(default=280, ge=0)
    threads: bool = False

    @field_validator("stage_url")
    @classmethod
    def _check_stage(cls, value: str) -> str:
        return check_web_address(value) if value else value

    @property
    def files(self) -> tuple[str, ...]:
        """The files in the order they are played."""
        return ((self.path,) if self.path else ()) + self.paths


def open_platform(settings: Mapping[str, object], context: FeedContext) -> Replay:
    """Open one replay; no file is read yet.

    Raises:
        SettingRefused: a setting cannot work.
    """
    checked = check_settings(Settings, settings)
    if not checked.files:
        raise SettingRefused("path is missing; name the file to play.", key="path")
    if len(set(checked.files)) < len(checked.files):
        raise SettingRefused("A file stands there twice.", key="paths")
    for file in checked.files:
        if not Path(file).is_file():
            raise SettingRefused(f"There is no file {file}.", key="path" if file == checked.path else "paths")
    return Replay(checked, context)


def compile_query(query: Query) -> Compiled:
    """Return that nothing is asked: every row of a file is heard, and watches only tag it."""
    del query
    return Compiled((), "Every row is heard; a watch only says what it is about.")


class Replay:
    """One replay of files."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, context: FeedContext) -> None:
        """Take checked settings."""
        self._settings = settings
        self._context = context
        self._pacer = Pacer(context.pause)

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Play the files from the cursor on, then end; see `Listens`."""
        file, line = self._resume(cursor)
        has_told = False
        for place in self._settings.files[file:]:
            for batch in self._play(place, line):
                has_told = True
                yield batch
                if self._pacer.is_closed() or (self._settings.pace_seconds and self._pause()):
                    return
            line = 0
        if not has_told:
            yield Batch(cursor=cursor or "")

    def capability(self, mention: Mention) -> Capability:
        """By the stage, where there is one."""
        if not self._settings.stage_url:
            return Capability("none", "A replayed post can not be answered.")
        return Capability("api", "Replies go to the rehearsal stage.", account=self._account(mention))

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count characters as people see them (grapheme clusters)."""
        del mention  # one limit for all
        prepared = unicodedata.normalize("NFC", text).strip()
        count, limit = count_graphemes(prepared), self._settings.limit
        problem = ""
        parts: tuple[str, ...] = ()
        if not prepared:
            problem = "There is no text to post."
        elif limit and count > limit:
            problem = f"This is {count - limit} characters too long: {count} of {limit}."
            parts = cut_parts(prepared, self._fits) if self._settings.threads else ()
        return Shape(prepared, count, limit, problem=problem, parts=parts)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post to the stage, once; see `Replies`."""
        if not self._settings.stage_url:
            raise Permanent("A replayed post can not be answered.")
        body = {
            "in_reply_to": mention.native_id,
            "platform": mention.platform,
            "text": text,
            "send_key": send_key,
            "account": self._account(mention),
            "author": mention.author.handle,
            **({"after": after.reply_ref} if after else {}),
        }
        status, headers, answer = _post_once(self._settings.stage_url, json.dumps(body).encode("ascii"))
        if status == 429:
            wait = retry_after_seconds(headers.get("Retry-After", ""), self._context.now())
            raise RateLimited("The stage asks to slow down.", retry_after=wait)
        told = _read_answer(answer)
        if 400 <= status < 500 and told.get("error"):
            if "by_hand_url" in told:
                raise RefusedByRules(told["error"], url=told["by_hand_url"])
            raise Permanent(told["error"])
        if not 200 <= status < 300 or not told.get("id"):
            raise Unknown(
                f"The stage did not confirm the reply (it answered {status}); look there before trying again."
            )
        return Posted(told["id"], told.get("url", ""), reply_ref=told["id"])

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Look at nothing again: a file does not change behind our back."""
        del mentions
        return Batch()

    def check(self) -> list[Finding]:
        """Read the files, and say how many rows they have."""
        return [self._check_file(place) for place in self._settings.files]

    def close(self) -> None:
        """End the play."""
        self._pacer.close()

    def _fits(self, piece: str) -> bool:
        return count_graphemes(piece) <= self._settings.limit

    def _account(self, mention: Mention) -> str:
        return self._settings.account or mention.account or (f"@{mention.brand}" if mention.brand else "")

    def _pause(self) -> bool:
        return self._pacer.wait(self._settings.pace_seconds)

    def _resume(self, cursor: str | None) -> tuple[int, int]:
        """Return the file and the line to go on after; the start, for a cursor of files that are not played now."""
        number, _, place = (cursor or "").partition(":")
        if place in self._settings.files and number.isascii() and number.isdigit():
            return self._settings.files.index(place), int(number[:12])
        return 0, 0

    def _play(self, place: str, after: int) -> Iterator[Batch]:
        size = 1 if self._settings.pace_seconds else BATCH
        mentions: list[Mention] = []
        refused: list[str] = []
        line = after
        for line, row in self._rows(place, after):
            if isinstance(row, Refusal):
                refused.append(row.sentence)
            else:
                mentions.append(tag_row(row, self._context.watches))
            if len(mentions) + len(refused) >= size:
                yield Batch(tuple(mentions), f"{line}:{place}", refused=tuple(refused))
                mentions, refused = [], []
        if mentions or refused:
            yield Batch(tuple(mentions), f"{line}:{place}", refused=tuple(refused))

    def _rows(self, place: str, after: int) -> Iterator[tuple[int, Mention | Refusal]]:
        try:
            with Path(place).open("rb") as stream:
                context = self._context
                yield from number_rows(read_lines(stream), place, after=after, feed=context.feed, now=context.now)
        except OSError as err:
            raise Permanent(f"The file {place} cannot be read: {err.strerror}.") from err

    def _check_file(self, place: str) -> Finding:
        good = bad = 0
        first = ""
        try:
            for _line, row in self._rows(place, 0):
                if isinstance(row, Refusal):
                    bad, first = bad + 1, first or row.sentence
                else:
                    good += 1
        except Permanent as err:
            return Finding(is_good=False, sentence=str(err), remedy="Let this user read the file.")
        if bad:
            return Finding(
                is_good=False, sentence=f"{place}: {good} rows, and {bad} that cannot be read.", remedy=first
            )
        return Finding(is_good=True, sentence=f"{place}: {good} rows.")


def _post_once(url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """POST on a fresh connection, without retries or redirects: what is not certain is told as `Unknown`."""
    timeout = urllib3.Timeout(total=_STAGE_SECONDS)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
            response = pool.request("POST", url, body=body, headers=headers, redirect=False, preload_content=False)
            answer = response.read(_MAX_ANSWER)
            response.close()
            return response.status, response.headers, answer
    except (NewConnectionError, ConnectTimeoutError) as err:
        raise Retryable("The stage cannot be reached; nothing was posted.") from err
    except (HTTPError, OSError) as err:
        raise Unknown("The stage broke off; the reply may or may not be there. Look before trying again.") from err


def _read_answer(answer: bytes) -> dict[str, str]:
    try:
        told = decode_json(answer)
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {
        key: whole_characters(str(value))
        for key, value in told.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
