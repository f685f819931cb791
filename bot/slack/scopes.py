"""What Cuecard asks of a workspace, and why. The manifest asks for exactly these; a test holds it."""

from __future__ import annotations

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "chat:write": "post the cards, change them in place, and tell a person a sentence that only they see",
    "commands": "/claim, /mentions and /digest",
    "users:read": "show who claimed a card, and keep guests and strangers from acting",
    "channels:read": "tell, for `cuecard check`, whether the bot is in its public channel and whether outsiders are",
    "groups:read": "the same for a private channel",
    "channels:history": "find a card again after a connection broke while it was posted, so that it is not doubled",
    "groups:history": "the same for a private channel",
}
"""Bot scopes. None of them reads messages as they are written: there is no message event."""
