"""How requests to and from a webhook are signed: who knows the secret, and when.

X-Cuecard-Timestamp: 1795435200                  seconds since 1970
X-Cuecard-Signature: v1=5f0c…                    HMAC-SHA256 in hex, of "v1:1795435200:" and the body
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

TIMESTAMP_HEADER: Final = "X-Cuecard-Timestamp"
SIGNATURE_HEADER: Final = "X-Cuecard-Signature"
LEAST_SECRET: Final = 32
"""How many characters a secret has at least; 32 random ones of hex are 128 bits."""
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"v1=[0-9a-f]{64}")


def sign(secret: str, timestamp: int | str, body: bytes) -> str:
    """Return the value of the signature header."""
    signed = b"v1:%s:%s" % (str(timestamp).encode("ascii"), body)
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def headers_for(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return both headers of a request of our own."""
    timestamp = int(now.timestamp())
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: sign(secret, timestamp, body)}


@dataclass(frozen=True, slots=True)
class Verifier:
    """Judges requests by any of the `secrets`, signed at most `window` seconds from now, before or after."""

    secrets: Sequence[str] = field(repr=False)
    window: int
    now: Callable[[], datetime]

    def refusal(self, timestamp: str, signature: str, body: bytes) -> str:
        """Return '' where the request is to be believed, else one sentence.

        The sentence never says whether the signature was right: it tells only of the sender's own clock.
        """
        if not _SECONDS.fullmatch(timestamp):
            return (
                f"The request is not signed: it needs {TIMESTAMP_HEADER}, in whole seconds since 1970, "
                f"and {SIGNATURE_HEADER}."
            )
        is_signed = False
        for secret in self.secrets:  # all of them, however soon one fits: the time it takes tells nothing
            is_signed |= hmac.compare_digest(
                sign(secret, timestamp, body), signature.encode("ascii", "replace").decode()
            )
        age = int(self.now().timestamp()) - int(timestamp)
        if is_signed and abs(age) <= self.window:
            return ""
        return (
            f"The signature, or the time it was made at, is not accepted. By our clock it was made {_tell(age)}; "
            f"{self.window} seconds are allowed either way."
        )


def is_well_formed(signature: str) -> bool:
    """Whether this looks like a signature at all, which tells a sender with another secret from a passer-by."""
    return _SIGNATURE.fullmatch(signature) is not None


def _tell(age: int) -> str:
    if age == 0:
        return "just now"
    return f"{age} seconds ago" if age > 0 else f"{-age} seconds from now"
