"""X (once Twitter), through its API with tweepy. Needs an account for developers, and costs money for each post read.

Settings of a feed (`platform = "x"`):

    handle                our account's handle; its own posts are not heard, and replies go out from it
    user_id               its number; without it X is asked once, for a cent
    env_prefix            how the names of its five keys begin (X): X_BEARER_TOKEN, X_API_KEY, X_API_SECRET,
                          X_ACCESS_TOKEN and X_ACCESS_SECRET
    mode                  how it hears: "stream" (the filtered stream, and our own mentions), "poll" (the search of the
                          last seven days, and our own mentions) or "mentions" (our own mentions alone, the cheapest)
    brand                 the brand of a post that only mentions our account (that of the first watch)
    budget_usd_per_month  the most that listening may cost in a month (50); 0 is no limit
    slow_at_percent       from which share of it on only our own mentions are listened to (80)
    expansions            what X sends along with a post, and charges for: "all" (its author, and the post it answers or
                          quotes), "authors" or "none"; without authors, handles and followers are not known
    limit                 how many characters a reply may have, as X counts (280); more where the account may post more
    is_enterprise         whether the app may answer any post (false)
    poll_seconds          seconds between looks at the search (60)
    mentions_seconds      seconds between looks at our own mentions (60)
    overlap_seconds       how far a look reaches back before the last one (60): the search learns of posts 30 s late
    look_back_hours       how far back the very first look reaches (24), and how far after a month's money ran short
    rule_length           characters that a rule of the stream may have (1024)
    query_length          characters that a search may have (512)
    tag_prefix            how the tags of our rules begin (cuecard); rules with other tags are never touched
    clear_ghosts          whether to end the app's other stream connections where X says that there is one (false)
    field_names           what X calls its objects in a question: "tweet" or "post" (tweet)
    base_url              where the API is, also the stream (https://api.x.com)
    post_url              where posts and accounts are shown (https://x.com/)
    intent_url            the page on which a person answers by hand (https://x.com/intent/tweet)
    price_post_read       US dollars for a post that was read (0.005)
    price_user_read       US dollars for an account that was read (0.01)
    price_own_read        US dollars for a post that was read from our own mentions (0.001)
    price_post            US dollars for a reply (0.015)
    price_post_with_link  US dollars for a reply with a link in it (0.2)
    price_summoned_reply  US dollars for a reply to a post that mentions or quotes us (0.01)

What is heard: what the watches ask for, matched again here by the post's own words; and every post that mentions our
account or quotes it, whatever the watches say. Reposts and our own posts are left out. An edited post has a new number;
it is told again under its first, and so replaces what was stored. After a break the search is asked for what was
missed.

What it costs: every object X sends is counted. At 80 % of the month's budget only our own mentions are heard, which
cost less; before the rest is used up, listening ends until the next month. What was not heard is told as a gap.

What cannot be done: a program may answer only posts that mention or quote our account; others are answered by hand, on
X's own page. The search reaches back seven days. Deletions and edits are asked for once a day, not pushed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from listeners.contract import Capability, FeedContext, Finding, Posted, Shape
from listeners.errors import SettingRefused, WatchRefused
from listeners.grammar import AllOf, AnyOf, From, Node, Not, QueryError
from listeners.mention import Batch, Mention
from listeners.pacing import Pacer
from listeners.settings import check_settings
from listeners.x.answers import Answers
from listeners.x.budget import Budget
from listeners.x.check import Checkup
from listeners.x.client import Client
from listeners.x.compliance import Compliance
from listeners.x.hearing import Hearing
from listeners.x.rule_book import Rule, tag_of
from listeners.x.rules import compile_query, finish, join_searches, rules_for, searches_for
from listeners.x.settings import PLATFORM, Keys, Settings, read_keys

__all__ = ["Settings", "X", "compile_query", "open_platform"]


def open_platform(settings: Mapping[str, object], context: FeedContext) -> X:
    """Open one feed of X; no network is touched.

    Raises:
        SettingRefused: a setting cannot work, or a key is missing.
        WatchRefused: X cannot express a watch.
    """
    checked = check_settings(Settings, settings)
    return X(checked, read_keys(context.secrets, checked.env_prefix), context)


class X:
    """One feed of X."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, keys: Keys, context: FeedContext) -> None:
        """Take checked settings.

        Raises:
            SettingRefused: the watches need what the settings switch off.
            WatchRefused: a watch is too long for what the account may ask.
        """
        _refuse_nameless(settings, context)
        rules, queries = _asks(settings, context)
        budget = Budget(settings, context.spent, context.now)
        self._pacer = Pacer(context.pause)
        self._client = Client(settings, keys, context.now)
        self._answers = Answers(settings, keys, budget, context.now)
        self._hearing = Hearing(settings, keys, context, budget, rules, queries)
        self._compliance = Compliance(settings, self._client, budget, self._pacer, context)
        self._checkup = Checkup(settings, keys, context, budget, self._hearing.connects)
        self._rules = rules

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Listen until told to stop; see `Listens`."""
        return self._hearing.listen(cursor)

    def capability(self, mention: Mention) -> Capability:
        """By program where the post mentions or quotes our account, by hand otherwise."""
        return self._answers.capability(mention)

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count as X counts: a link is 23, an emoji 2."""
        return self._answers.shape(text, mention)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post a reply once; see `Replies`."""
        del send_key  # X has no use for it
        return self._answers.reply(mention, text, after)

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Ask X which posts are gone or edited, in a job that is free."""
        return self._compliance.recheck(mentions)

    def check(self) -> list[Finding]:
        """Try the keys, the account, the stream, and count the money."""
        return self._checkup.look(self._rules, is_connected=self._hearing.is_connected())

    def close(self) -> None:
        """End a running look, the stream, and every wait."""
        self._pacer.close()
        self._hearing.close()
        self._client.close()


def _asks(settings: Settings, context: FeedContext) -> tuple[list[Rule], list[str]]:
    """Return what the stream's rules and the searches are, for all watches."""
    rules: dict[str, Rule] = {}
    searches: list[str] = []
    for watch, query in context.watches.queries:
        try:
            searches += searches_for(query, settings.query_length)
            asked = rules_for(query, settings.rule_length)
        except QueryError as err:
            raise WatchRefused(f"X cannot listen for this: {err.sentence}", watch=watch.name) from err
        tag = tag_of(settings, context.feed, watch.name)
        for value in (finish(ask, settings.handle) for ask in asked):
            rules.setdefault(value, Rule(value, tag))  # where two watches ask the same, X takes it once
    queries = [finish(ask, settings.handle) for ask in join_searches(searches, settings.query_length)]
    return list(rules.values()), queries


def _refuse_nameless(settings: Settings, context: FeedContext) -> None:
    """Refuse watches for a person's posts where X is not asked for names."""
    named = any(_names_people(query.root) for _watch, query in context.watches.queries)
    if settings.expansions == "none" and named:
        raise SettingRefused("from: in a watch needs the authors' names; set expansions to authors.", key="expansions")


def _names_people(node: Node) -> bool:
    if isinstance(node, AllOf | AnyOf):
        return any(_names_people(part) for part in node.parts)
    return _names_people(node.part) if isinstance(node, Not) else isinstance(node, From)
