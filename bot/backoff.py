"""How long to wait before trying again, pure. Used where a feed or a send failed."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from listeners.errors import Permanent, RateLimited, SettingRefused

FIRST_SECONDS = 1.0
MOST_SECONDS = 300.0
MOST_OBEYED_SECONDS = 86_400.0


def wait_seconds(attempts: int, rng: random.Random, *, most: float = MOST_SECONDS) -> float:
    """Return the seconds to wait after `attempts` failures in a row: doubling, at most `most`, spread by half.

    The spread keeps several feeds that failed together from coming back together.
    """
    doubled = FIRST_SECONDS * 2.0 ** min(max(attempts, 1) - 1, 30)
    return min(most, doubled) * (0.5 + 0.5 * rng.random())


def asked_seconds(error: BaseException | None) -> float:
    """Return the seconds the platform asked us to stay away, 0.0 where it asked nothing that makes sense."""
    asked = error.retry_after if isinstance(error, RateLimited) else None
    if asked is None or math.isnan(asked):
        return 0.0
    return min(max(asked, 0.0), MOST_OBEYED_SECONDS)


def next_try(attempts: int, error: BaseException | None, now: datetime, rng: random.Random) -> datetime | None:
    """Return when a feed may try again after `attempts` failures in a row, or None where trying cannot help.

    `error` is None where the feed ended without a word. A platform's own Retry-After is obeyed, never undercut.
    """
    if isinstance(error, Permanent | SettingRefused):
        return None
    wait = max(wait_seconds(attempts, rng), asked_seconds(error) * (1.0 + 0.1 * rng.random()))
    return now + timedelta(seconds=wait)
