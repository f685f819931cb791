"""One event of Jetstream: read from the JSON of either wire. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from listeners.text import decode_json

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))


class Event(NamedTuple):
    """What an event says.

    `kind` is 'commit', 'account', 'identity' or 'sync'; or 'info' or 'error', which are about the stream and have only
    a `name`; newer kinds are told by their own names. `at` is when the stream's host saw it, `seq` its number there.
    A commit has the fields from `operation` on, where the event has them; `status` is why an account is not active, ''
    where it is.
    """

    kind: str
    did: str = ""
    at: datetime | None = None
    seq: int | None = None
    name: str = ""
    status: str = ""
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    rev: str = ""
    cid: str = ""
    record: Mapping[str, Any] | None = None

    @property
    def uri(self) -> str:
        """The address of the record that a commit is about."""
        return f"at://{self.did}/{self.collection}/{self.rkey}"


def read_event(raw: bytes) -> Event:
    """Read an event of either wire.

    Raises:
        ValueError: it is none; the reason in a few plain words.
    """
    frame = decode_json(raw)
    if not isinstance(frame, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - whoever sent it made the mistake
    if isinstance(frame.get("kind"), str):
        return _read_legacy(frame)
    if frame.get("$type") == "error":
        return Event("error", name=_word(frame, "error"))
    payload = frame.get("payload")
    if not isinstance(payload, dict) or "#" not in _word(payload, "$type"):
        raise ValueError("it has neither a kind nor a payload")
    return _read_payload(payload)


def _read_legacy(frame: Mapping[str, Any]) -> Event:
    """Read an event of the v1 wire."""
    kind, time_us = _word(frame, "kind"), frame.get("time_us")
    if not isinstance(time_us, int) or not 0 <= time_us <= _LAST:
        raise ValueError("it has no time")
    at = _EPOCH + timedelta(microseconds=time_us)
    inner = frame.get(kind)
    return _build(kind, frame, inner if isinstance(inner, dict) else {}, at, None)


def _read_payload(payload: Mapping[str, Any]) -> Event:
    """Read the message of a frame of the v2 wire."""
    kind = _word(payload, "$type").rpartition("#")[2]
    if kind == "info":
        return Event("info", name=_word(payload, "name"))
    seq = payload.get("seq")
    if not isinstance(seq, int):
        raise ValueError("it has no number")  # noqa: TRY004 - whoever sent it made the mistake
    at = read_time(payload.get("witnessedAt")) or read_time(payload.get("time"))
    if at is None:
        raise ValueError("it has no time")
    inner = payload.get(kind)
    return _build(kind, payload, inner if isinstance(inner, dict) else payload, at, seq)


def _build(kind: str, outer: Mapping[str, Any], inner: Mapping[str, Any], at: datetime, seq: int | None) -> Event:
    did = _word(outer, "did")
    if not did:
        raise ValueError("it does not say whose it is")
    if kind != "commit":
        is_gone = kind == "account" and inner.get("active") is False
        return Event(kind, did, at, seq, status=(_word(inner, "status") or "inactive") if is_gone else "")
    record = inner.get("record")
    return Event(
        kind,
        did,
        at,
        seq,
        operation=_word(inner, "operation"),
        collection=_word(inner, "collection"),
        rkey=_word(inner, "rkey"),
        rev=_word(inner, "rev"),
        cid=_word(inner, "cid"),
        record=record if isinstance(record, dict) else None,
    )


def read_time(told: object) -> datetime | None:
    """Read a time as the protocol writes it; None where it is none. One without a zone is in UTC."""
    if not isinstance(told, str):
        return None
    try:
        time = datetime.fromisoformat(told)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _word(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""
