"""Where a Bluesky feed was left, as text: in the stream, and in the notifications."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from listeners.bluesky.jetstream import Place
from listeners.bluesky.jetstream_events import read_time
from listeners.text import decode_json


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place in the stream, and the moment until which notifications were heard."""

    place: Place
    heard_until: datetime

    def write(self) -> str:
        """Return it as text."""
        told = {"at": self.place.at.isoformat(), "host": self.place.host, "heard": self.heard_until.isoformat()}
        return json.dumps(told | ({"seq": self.place.seq} if self.place.seq is not None else {}))


def read_cursor(text: str | None, start: datetime) -> Cursor:
    """Return the cursor that was written; what it does not tell begins at `start`."""
    try:
        told = decode_json((text or "").encode())
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return Cursor(Place(start), start)
    host, seq = told.get("host"), told.get("seq")
    place = Place(
        read_time(told.get("at")) or start,
        host if isinstance(host, str) else "",
        seq if isinstance(seq, int) and seq >= 0 else None,
    )
    return Cursor(place, read_time(told.get("heard")) or start)
