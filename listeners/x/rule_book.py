"""The stream's rules, which X keeps for the whole project: ours are told by their tag, others' are never touched.

Rules act within about 20 seconds, without a new connection
(https://docs.x.com/x-api/posts/filtered-stream/introduction, read in 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from listeners.errors import Permanent
from listeners.x.budget import objects_in
from listeners.x.client import Answer, Client
from listeners.x.settings import Settings

MOST_RULES: Final = 1_000
"""For a self-serve project; an Enterprise project may have more, and X says so itself."""
_ROUTE: Final = "/2/tweets/search/stream/rules"
_PER_REQUEST: Final = 100
_MOST_PAGES: Final = 30
_DUPLICATE: Final = "duplicate"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: what it asks, and the tag that comes with each post it finds; `id` is X's, '' for one to be made."""

    value: str
    tag: str
    id: str = ""

    @property
    def name(self) -> str:
        """The watch's name in the tag."""
        return self.tag.rpartition(":")[2]


def tag_of(settings: Settings, feed: str, watch: str) -> str:
    """Return the tag of a watch's rules; a colon in a name would end it early."""
    return ":".join((settings.tag_prefix, feed.replace(":", "_"), watch.replace(":", "_")))


class RuleBook:
    """What stands in the project's rules."""

    def __init__(self, client: Client, settings: Settings, feed: str) -> None:
        """Take who asks, and the feed whose rules are ours."""
        self._client = client
        self._settings = settings
        self._ours = tag_of(settings, feed, "")

    def read(self) -> list[Rule]:
        """Return every rule of the project.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        return [rule for answer in self._pages() for rule in _rules_in(answer.told)]

    def reconcile(self, wanted: Sequence[Rule]) -> None:
        """Make our rules be the ones that are wanted: the missing are made, then what is left over is deleted.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`; a rule that X does not take is named by its watch.
        """
        there = self.read()
        ours = [rule for rule in there if rule.tag.startswith(self._ours)]
        values, standing = {rule.value for rule in wanted}, {rule.value for rule in ours}
        surplus = [rule.id for rule in ours if rule.value not in values]
        missing = [rule for rule in wanted if rule.value not in standing]
        if len(there) + len(missing) > MOST_RULES:
            self._delete(surplus)
            surplus = []
        self._add(missing)
        self._delete(surplus)

    def _pages(self) -> Iterator[Answer]:
        token = ""
        for _page in range(_MOST_PAGES):
            answer = self._client.read(_ROUTE, {"pagination_token": token} if token else None)
            yield answer
            meta = answer.told.get("meta")
            token = str(meta.get("next_token") or "") if isinstance(meta, dict) else ""
            if not token:
                return

    def _add(self, rules: Sequence[Rule]) -> None:
        for start in range(0, len(rules), _PER_REQUEST):
            some = rules[start : start + _PER_REQUEST]
            body = {"add": [{"value": rule.value, "tag": rule.tag} for rule in some]}
            answer = self._client.ask("POST", _ROUTE, json=body)
            for refusal in objects_in(answer.told, "errors"):
                _refuse(refusal, some)

    def _delete(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _PER_REQUEST):
            self._client.ask("POST", _ROUTE, json={"delete": {"ids": list(ids[start : start + _PER_REQUEST])}})


def _rules_in(told: Mapping[str, object]) -> Iterator[Rule]:
    for each in objects_in(told, "data"):
        yield Rule(str(each.get("value", "")), str(each.get("tag", "")), str(each.get("id", "")))


def _refuse(refusal: Mapping[str, object], rules: Sequence[Rule]) -> None:
    """Say which watch X does not take; one that stands there already, whoever made it, does its work."""
    said = f"{refusal.get('title', '')} {refusal.get('type', '')}".lower()
    if _DUPLICATE in said:
        return
    names = [rule.name for rule in rules if rule.value == refusal.get("value")]
    details = refusal.get("details") or refusal.get("detail") or refusal.get("message") or "it does not say why"
    why = str(details[0] if isinstance(details, list) else details)[:200].rstrip(".")
    if "rule-cap" in said or "rulescap" in said.replace(" ", ""):
        raise Permanent(
            f"X's stream takes no more rules for this project ({why}); delete some, or write fewer watches."
        )
    watch = f"the watch '{names[0]}'" if names else "a watch"
    raise Permanent(f"X does not take the rule for {watch} ({why}); write it differently.")
