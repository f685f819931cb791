"""Answering on X: what is allowed, how long it may be, and the one request that posts it.

Since February 2026 a self-serve app may only answer a post whose author mentions the answering account in it, or quotes
a post of its (https://docs.x.com/x-api/posts/manage-tweets/integrate). Everything else is answered by a person, through
X's own page (https://docs.x.com/x-for-websites/post-button/guides/web-intent).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from listeners.contract import Capability, Posted, Shape
from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.mention import Mention
from listeners.sent import was_never_sent
from listeners.text import decode_json
from listeners.x.budget import Budget
from listeners.x.client import Client
from listeners.x.length import count_cashtags, count_weighted, has_link, has_refused_characters
from listeners.x.posts import Ref, read_ref
from listeners.x.problems import LostError, Problem, ProblemError, say_denied, say_out_of_money, say_wrong_keys
from listeners.x.settings import Keys, Settings, in_micros, say_dollars

_OPEN: Final = frozenset({"", "everyone"})
_MENTIONED: Final = "mentionedUsers"
_DUPLICATE: Final = "duplicate"
_APP_ONLY: Final = frozenset({"oauth1-permissions", "client-forbidden", "unsupported-authentication"})
"""Kinds of refusal that are about the app, whatever it would answer."""


class Answers:
    """Answers posts from one account."""

    def __init__(self, settings: Settings, keys: Keys, budget: Budget, now: Callable[[], datetime]) -> None:
        """Take who answers, and who counts."""
        self._settings = settings
        self._keys = keys
        self._budget = budget
        self._now = now

    def capability(self, mention: Mention) -> Capability:
        """Say how a post can be answered, from nothing but what was noted when it was heard. Pure."""
        ref, account = read_ref(mention), self._settings.account
        forbidden = self._why_by_hand(ref)
        if forbidden:
            reason = f"{forbidden} Answer by hand, signed in as {account}."
            prefill = f"{self._address(ref)}&text={{text}}"
            return Capability("by_hand", reason, self._address(ref), account, prefill=prefill)
        return Capability("api", self._why_by_api(ref), account=account)

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count and prepare a reply as X counts. Pure."""
        prepared = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
        count, limit = count_weighted(prepared), self._settings.limit
        return Shape(prepared, count, limit, problem=self._problem(prepared, count, mention))

    def reply(self, mention: Mention, text: str, after: Posted | None) -> Posted:
        """Post a reply once.

        Raises:
            RateLimited, Retryable, Permanent, RefusedByRules, Unknown: as `Replies.reply`.
        """
        ref = read_ref(mention)
        if after is None and self.capability(mention).route != "api":
            capability = self.capability(mention)
            raise RefusedByRules(f"{capability.reason} {capability.url}", url=capability.url)
        client = Client(self._settings, self._keys, self._now)  # a fresh connection: an old one may be dead unseen
        try:
            answer = client.create_tweet(text=text, in_reply_to_tweet_id=after.native_id if after else ref.id)
        except ProblemError as err:
            raise self._refused(err.problem, ref) from err
        except LostError as err:
            raise _lost(err) from err
        finally:
            client.close()
        return self._posted(answer.content, text, ref)

    def _why_by_hand(self, ref: Ref) -> str:
        """Return why no program may answer a post, '' where one may."""
        account = self._settings.account
        is_named = ref.summons in {"mention", "answer"}
        if ref.replies not in _OPEN and not (ref.replies == _MENTIONED and is_named):
            return f"The author lets only some accounts reply, and {account} may not be one of them."
        if ref.summons or self._settings.is_enterprise:
            return ""
        return f"X lets programs answer only posts that mention or quote {account}."

    def _why_by_api(self, ref: Ref) -> str:
        prices, account = self._settings, self._settings.account
        plain = prices.price_summoned_reply if ref.summons else prices.price_post
        cost = f"{_say_price(plain)}, or {_say_price(prices.price_post_with_link)} with a link"
        if ref.summons == "answer":
            way = f"They answered {account}, so the reply is posted from there, for {cost}"
            return f"{way}; where X refuses that, you post it by hand."
        how = {"mention": f"They mention {account}", "quote": f"They quote {account}"}.get(ref.summons, "X allows it")
        return f"{how}, so the reply is posted from {account}, for {cost}."

    def _problem(self, text: str, count: int, mention: Mention) -> str:
        limit = self._settings.limit
        if not text:
            return "There is no text to post."
        if has_refused_characters(text):
            return "The reply holds a broken character that X does not take; delete it or type it again."
        if count > limit:
            return f"X takes {limit} characters, and this counts {count}."
        is_by_program = self.capability(mention).route == "api" and not self._settings.is_enterprise
        if is_by_program and count_cashtags(text) > 1:
            return "X takes at most one $symbol in a reply that a program posts; take the others out."
        return ""

    def _posted(self, body: bytes, text: str, ref: Ref) -> Posted:
        """Read what X says of the new post.

        Raises:
            Unknown: it says nothing of one.
        """
        try:
            told = decode_json(body)
        except ValueError:
            told = None
        data = told.get("data") if isinstance(told, dict) else None
        native_id = data.get("id") if isinstance(data, dict) else None
        if not isinstance(native_id, str) or not native_id.isdigit():
            raise Unknown("X took the reply and did not say where it is.")
        prices = self._settings
        plain = prices.price_summoned_reply if ref.summons else prices.price_post
        cost = in_micros(prices.price_post_with_link if has_link(text) else plain)
        self._budget.charge_reply(cost)
        return Posted(native_id, prices.post_address(native_id, prices.handle), Ref(native_id).write(), cost)

    def _refused(self, problem: Problem, ref: Ref) -> ListenerError:
        """Say what a refusal means: nothing was posted; after a 5xx, or where X itself did not answer, nobody knows."""
        status = problem.status
        if status == HTTPStatus.TOO_MANY_REQUESTS and not problem.is_about_money:
            return RateLimited("X asks us to slow down.", retry_after=problem.seconds)
        is_theirs = problem.is_json or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED}
        if not is_theirs or not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unknown(f"X answered {status} to the reply.")
        by_hand = f"You can answer by hand, signed in as {self._settings.account}: {self._address(ref)}"
        sentence = f"{self._why_refused(problem)} {by_hand}"
        is_about_post = status == HTTPStatus.FORBIDDEN and problem.kind not in _APP_ONLY
        if is_about_post and not problem.is_about_money and _DUPLICATE not in problem.words:
            return RefusedByRules(sentence, url=self._address(ref))
        return Permanent(sentence)

    def _why_refused(self, problem: Problem) -> str:
        if problem.is_about_money:
            return say_out_of_money(problem)
        if problem.status == HTTPStatus.UNAUTHORIZED:
            return say_wrong_keys(self._settings)
        if _DUPLICATE in problem.words:
            said = f"X says that {self._settings.account} said just this already"
            return f"{said}; look whether it is there, or change the words."
        if problem.kind in _APP_ONLY:
            return say_denied(problem)
        return f"X takes no reply to this post from a program {problem.say()}."

    def _address(self, ref: Ref) -> str:
        return self._settings.intent_address(ref.id)


def _lost(err: LostError) -> ListenerError:
    if was_never_sent(err):
        return Retryable("X cannot be reached; the reply was not sent.")
    return Unknown("The connection to X broke while the reply was sent.")


def _say_price(dollars: float) -> str:
    return say_dollars(in_micros(dollars)) if dollars >= 0.01 else f"${dollars:g}"
