"""`cuecard check` for X: each part is tried, and what is broken is told with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

from listeners.contract import FeedContext, Finding
from listeners.errors import ListenerError, Permanent, RateLimited
from listeners.x.budget import Budget
from listeners.x.client import Client, data_of
from listeners.x.problems import MAY_WRITE, STREAM_TAKEN, ProblemError
from listeners.x.rule_book import MOST_RULES, Rule, RuleBook
from listeners.x.settings import Keys, Settings
from listeners.x.stream import Connects, Stream

_LOOK_AGAIN: Final = "See whether this machine can reach it, and whether base_url is right; then try again."
_SET_KEYS: Final = "Copy all five keys of the app again, from X's developer console."
_CONSOLE: Final = "Look at the app's project, access and permissions in X's developer console, and at the settings."
_PAY: Final = "Add credits, or raise the spending limit, in X's developer console; the keys are good."
_GHOST: Final = (
    "If Cuecard is running now, this is its own connection, and all is well. Otherwise end the other program or wait "
    "some minutes; clear_ghosts ends it for you."
)
_LATER: Final = "Try again later."
_ACCESS: Final = "x-access-level"
_WRITES: Final = "write"
_CONNECT_SECONDS: Final = 10.0


class Checkup:
    """Tries X with the settings of one feed. A look at our account costs a cent."""

    def __init__(
        self, settings: Settings, keys: Keys, context: FeedContext, budget: Budget, connects: Connects
    ) -> None:
        """Take the feed."""
        self._settings = settings
        self._keys = keys
        self._context = context
        self._budget = budget
        self._connects = connects

    def look(self, rules: Sequence[Rule], *, is_connected: bool) -> list[Finding]:
        """Try all of it; `is_connected` says that this very feed holds the stream now."""
        client = Client(self._settings, self._keys, self._context.now)
        try:
            findings = [*self._guard(self._account, client), *self._guard(self._reading, client)]
            if self._settings.mode == "stream" and rules and all(each.is_good for each in findings):
                findings += self._guard(lambda asked: self._stream(asked, rules, is_connected=is_connected), client)
        finally:
            client.close()
        return [*findings, *self._watches(rules), self._money()]

    def _guard(self, part: Callable[[Client], Iterator[Finding]], client: Client) -> list[Finding]:
        findings: list[Finding] = []
        try:
            findings.extend(part(client))
        except ListenerError as err:
            findings.append(_bad(str(err), _remedy_for(err)))
        return findings

    def _account(self, client: Client) -> Iterator[Finding]:
        """Whose keys they are, and whether they may write."""
        answer = client.read("/2/users/me", user_auth=True)
        user = data_of(answer)
        self._budget.charge_user(user)
        name, account = str(user.get("username", "")), self._settings.account
        if name.lower() != self._settings.handle.lower():
            yield _bad(
                f"The access keys belong to @{name}, and the settings name {account}.",
                f"Make access keys while signed in as {account}, or change handle.",
            )
        elif self._settings.user_id not in {"", str(user.get("id", ""))}:
            yield _bad(f"user_id is not the number of {account}.", f"Set it to {user.get('id')}, or take it out.")
        else:
            yield _good(f"X knows {account}.")
        level = answer.headers.get(_ACCESS, "")
        if level and _WRITES not in level:
            yield _bad(f"The app may only read, so {account} cannot answer by program.", MAY_WRITE)

    def _reading(self, client: Client) -> Iterator[Finding]:
        """Whether the bearer token is good, and what X itself counts."""
        told = client.read("/2/usage/tweets").told
        data = told.get("data")
        used, cap = (data.get("project_usage"), data.get("project_cap")) if isinstance(data, dict) else (None, None)
        if _is_number(used) and _is_number(cap):
            yield _good(f"X counts {int(str(used)):,} of {int(str(cap)):,} posts read by this project in its month.")
        else:
            yield _good("X lets this app read.")

    def _stream(self, client: Client, rules: Sequence[Rule], *, is_connected: bool) -> Iterator[Finding]:
        """Whether there is room for our rules, and whether the stream lets us in."""
        there = RuleBook(client, self._settings, self._context.feed).read()
        values = {rule.value for rule in there}
        needed = len(there) + sum(rule.value not in values for rule in rules)
        if needed > MOST_RULES and not self._settings.is_enterprise:
            yield _bad(
                f"X's stream takes {MOST_RULES:,} rules, and this project would need {needed:,}.",
                "Delete rules of other programs, or write fewer watches.",
            )
            return
        if not is_connected:
            self._try_stream()
        count = "1 rule is" if len(there) == 1 else f"{len(there):,} rules are"
        yield _good(f"X's stream lets Cuecard in; {count} set.")

    def _try_stream(self) -> None:
        """Connect for a moment.

        Raises:
            RateLimited, Retryable, Permanent: X does not let us in.
        """
        self._connects.add()
        stream = Stream(self._settings, self._keys, self._context.now)
        try:
            stream.start({})
            stream.is_ready(_CONNECT_SECONDS)
            if not stream.is_connected and not stream.has_no_rules:
                stream.lines.take(1, 0)
                raise RateLimited("X's stream does not answer.")
        finally:
            stream.stop()

    def _watches(self, rules: Sequence[Rule]) -> Iterator[Finding]:
        if not rules and self._settings.mode != "mentions":
            heard = f"only posts that mention {self._settings.account} are heard"
            yield _bad(
                f"No watch listens on '{self._context.feed}': {heard}.", "Add a [[watch]], or set mode to mentions."
            )

    def _money(self) -> Finding:
        if self._budget.is_used_up():
            return _bad(str(self._budget.used_up()), f"{self._budget.say()}.")
        return _good(f"{self._budget.say()}.")


def _remedy_for(err: ListenerError) -> str:
    if str(err) == STREAM_TAKEN:
        return _GHOST
    problem = err.__cause__.problem if isinstance(err.__cause__, ProblemError) else None
    if problem is not None and problem.is_about_money:
        return _PAY
    if isinstance(err, Permanent):
        return _SET_KEYS if problem is not None and problem.status == HTTPStatus.UNAUTHORIZED else _CONSOLE
    return _LATER if isinstance(err, RateLimited) else _LOOK_AGAIN


def _good(sentence: str) -> Finding:
    return Finding(is_good=True, sentence=sentence)


def _bad(sentence: str, remedy: str) -> Finding:
    return Finding(is_good=False, sentence=sentence, remedy=remedy)


def _is_number(value: object) -> bool:
    return str(value).isascii() and str(value).isdigit()
