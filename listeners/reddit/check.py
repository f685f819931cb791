"""Trying Reddit for real: what `cuecard check` says of a feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from listeners.contract import Finding
from listeners.errors import ListenerError, Permanent, RateLimited
from listeners.reddit.client import Access, Client
from listeners.reddit.line import Allowance, BadAnswerError
from listeners.reddit.refusals import NetworkBlocked, SourceRefused
from listeners.reddit.sources import Source, read_listing

EVERYTHING: Final = "*"
_ACCESS: Final = "See 'Reddit' in docs/platforms.md: how access is asked for, and which variables are needed."
_PLACE: Final = "Put it right on Reddit's page, or take it out of the feed's settings."
_NETWORK: Final = "See whether this machine can reach base_url and oauth_url; then try again."


def check_reddit(
    client: Client, access: Access, allowance: Allowance, sources: Sequence[Source], *, inbox: bool
) -> list[Finding]:
    """Log in, ask who we are, and read one post of every place. Never raises for Reddit's fault."""
    findings: list[Finding] = []
    try:
        allowance.seconds_to_wait()
        findings += _check_scopes(client.scopes(), inbox=inbox)
        findings += _check_account(client, access)
        for source in _places(sources):
            findings.append(_check_place(client, source))
    except ListenerError as err:
        findings.append(_bad(str(err), _remedy(err)))
    return findings


def ask_name(client: Client) -> Mapping[str, object]:
    """Return what Reddit tells of the account (`name`, `is_suspended`, …).

    Raises:
        ListenerError: it tells nothing.
    """
    told = client.ask("api/v1/me", {}, "the account")
    return told if isinstance(told, Mapping) else {}


def _check_scopes(scopes: frozenset[str], *, inbox: bool) -> Iterator[Finding]:
    needed = {"read": "reading", "submit": "replies", **({"privatemessages": "the inbox"} if inbox else {})}
    missing = [name for name in needed if name not in scopes and EVERYTHING not in scopes]
    if missing:
        lacks = ", ".join(f"{name} (for {needed[name]})" for name in missing)
        yield _bad(f"The access lacks {lacks}.", f"Make a new token with the scopes {', '.join(needed)} and identity.")


def _check_account(client: Client, access: Access) -> Iterator[Finding]:
    try:
        told = ask_name(client)
    except SourceRefused as err:
        cause = err.__cause__
        if isinstance(cause, BadAnswerError) and cause.status == 403 and cause.code != "insufficient_scope":
            yield _bad("Reddit has suspended the account, or locked it.", "Log in with it on Reddit's page to see why.")
        return  # who we are is not told; whether anything can be read shows below
    name = told.get("name")
    if told.get("is_suspended") is True:
        yield _bad(f"Reddit has suspended u/{name}.", "Log in with it on Reddit's page to see why.")
    elif isinstance(name, str) and access.username and name.casefold() != access.username.casefold():
        sentence = f"The access belongs to u/{name}, and {access.env_prefix}_USERNAME names u/{access.username}."
        yield _bad(sentence, "Make the two the same.")
    else:
        yield Finding(is_good=True, sentence=f"Reddit answers as u/{name}." if name else "Reddit answers.")


def _places(sources: Sequence[Source]) -> Iterator[Source]:
    """Return one source for each place that has a name."""
    yield from {source.name: source for source in reversed(sources)}.values()


def _check_place(client: Client, source: Source) -> Finding:
    try:
        read_listing(client.ask(source.path, {**source.params, "limit": 1}, source.name), source.name)
    except SourceRefused as err:
        is_down = isinstance(err.__cause__, BadAnswerError) and err.__cause__.status >= 500
        is_garbled = not isinstance(err.__cause__, BadAnswerError)
        return _bad(str(err), _NETWORK if is_down or is_garbled else _PLACE)
    name = source.name if source.name.startswith("r/") else source.name.capitalize()
    return Finding(is_good=True, sentence=f"{name} can be read.")


def _bad(sentence: str, remedy: str) -> Finding:
    return Finding(is_good=False, sentence=sentence, remedy=remedy)


def _remedy(err: ListenerError) -> str:
    if isinstance(err, RateLimited):
        minutes = f"{max(1, round(err.retry_after / 60))} minutes" if err.retry_after is not None else "some minutes"
        return f"Wait {minutes}; another program may be using the same client."
    if isinstance(err, Permanent):
        return _ACCESS
    if isinstance(err, NetworkBlocked):
        return "Write to Reddit's support with the client's id; until then, Reddit is read and answered by hand."
    return _NETWORK
