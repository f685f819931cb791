"""Who and what is in the rehearsal workspace before anything happens."""

from __future__ import annotations

from dataclasses import dataclass

TEAM_ID = "T0KETTLE"
TEAM_NAME = "Kettle & Fern"
TEAM_DOMAIN = "kettleandfern"
APP_ID = "A0CUECARD"
BOT_ID = "B0CUECARD"
BOT_USER_ID = "U0CUECARD"
BOT_NAME = "Cuecard"
SLACKBOT = "USLACKBOT"

SCOPES = (
    "chat:write",
    "commands",
    "users:read",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
)
"""What the workspace grants: the scopes of Cuecard's own manifest, no more. A test holds the two together."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the workspace."""

    id: str
    name: str
    handle: str
    title: str
    is_bot: bool = False


TEAMMATES = (
    Person("U0ANALIMA", "Ana Lima", "ana.lima", "Social lead"),
    Person("U0BENOKA", "Ben Okafor", "ben.okafor", "Customer care"),
    Person("U0CHLOEM", "Chloe Martin", "chloe.martin", "Community"),
)
BOT = Person(BOT_USER_ID, BOT_NAME, "cuecard", "", is_bot=True)

CHANNELS = (("C0MENTIONS", "mentions"), ("C0OPS", "cuecard-ops"))


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A slash command as the composer offers it."""

    name: str
    hint: str
    description: str


COMMANDS = (
    SlashCommand("/claim", "number or link", "Take a conversation"),
    SlashCommand("/mentions", "[words]", "What waits for an answer, or a search"),
    SlashCommand("/digest", "", "What is unanswered right now, shown only to you"),
)
EVENTS = ("app_home_opened",)
