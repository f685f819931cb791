"""Trying a Bluesky feed for real: the stream, the public server, and our account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from listeners.bluesky.failures import SIGN_IN_REFUSED, CallFailedError
from listeners.bluesky.jetstream import Jetstream
from listeners.bluesky.people import People
from listeners.bluesky.settings import Settings
from listeners.contract import Finding
from listeners.errors import ListenerError

if TYPE_CHECKING:  # it loads the client library, which a feed without an account does without
    from listeners.bluesky.account import Account

_SOMEBODY: Final = "bsky.app"
_WIRES: Final = {"v2": "v2", "v1": "v1, /subscribe"}
_MAKE_ONE: Final = "Make an app password on Bluesky, under Settings > Privacy and security, and put it into {}."


def check_feed(
    settings: Settings, source: Jetstream, people: People, account: Account | None, *, is_watched: bool
) -> list[Finding]:
    """Return what works and what does not; never raises for the fault of a server."""
    findings = list[Finding]()
    if settings.firehose and not is_watched:
        findings.append(_bad("No watch listens on this feed, so its firehose is not read.", "Add a [[watch]] for it."))
    if settings.firehose:
        findings.append(_check_stream(source))
    findings.append(_check_people(settings, people))
    if account is not None:
        findings += _check_account(settings, account)
    return findings


def _check_stream(source: Jetstream) -> Finding:
    try:
        stream = source.open(None)
    except ListenerError as err:
        return _bad(str(err), "See whether this machine can reach it, and to jetstream_url and wire; then try again.")
    stream.close()
    return _good(f"{source.host} streams what happens on Bluesky (wire {_WIRES[stream.wire]}).")


def _check_people(settings: Settings, people: People) -> Finding:
    host = urlsplit(settings.appview_url).netloc
    wanted = settings.handle or _SOMEBODY
    try:
        found = people.find_dids([wanted])
    except ListenerError as err:
        return _bad(
            str(err), "See whether this machine can reach it, and to appview_url; authors' names come from there."
        )
    if settings.handle and wanted not in found:
        return _bad(f"{host} knows nobody called {wanted}.", "See to handle: it must be the whole one, as on Bluesky.")
    return _good(f"{host} tells who wrote a post.")


def _check_account(settings: Settings, account: Account) -> Iterator[Finding]:
    access = account.access
    try:
        account.sign_in()
        if settings.notifications:
            account.ask("app.bsky.notification.listNotifications", limit=1)
    except CallFailedError as err:
        yield _bad(str(err), _advise(err, access.variable))
        return
    yield _good(f"{access.host} lets {access.handle} in.")
    if account.is_own_password():
        yield _bad(f"{access.variable} is the account's own password.", _MAKE_ONE.format(access.variable))


def _advise(err: CallFailedError, variable: str) -> str:
    if err.name == SIGN_IN_REFUSED:
        return _MAKE_ONE.format(variable)
    if err.status == 429:
        return "Wait a while; signing in is limited to 30 times in 5 minutes and 300 a day."
    return "See whether this machine can reach it, and to base_url; then try again."


def _good(sentence: str) -> Finding:
    return Finding(is_good=True, sentence=sentence)


def _bad(sentence: str, remedy: str) -> Finding:
    return Finding(is_good=False, sentence=sentence, remedy=remedy)
