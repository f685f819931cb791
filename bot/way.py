"""By which feed, and from which of our accounts, a post is answered; pure.

Several feeds can hear the same post: two accounts of one platform, or a search and an account. The first that heard it
is the way back, unless a later one knows that one of our own accounts was summoned: then an answer goes out from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from listeners.mention import Mention


@dataclass(frozen=True, slots=True)
class Way:
    """What a mention says of who heard it, and of how it is answered; each field as in `Mention`."""

    feed: str
    feed_platform: str = ""
    account: str = ""
    reply_ref: str = ""
    brand: str = ""
    watches: tuple[str, ...] = ()

    def is_by(self, other: Way) -> bool:
        """Return whether both are the same feed's; of one that was stored long ago its platform may be unknown."""
        platforms = {self.feed_platform, other.feed_platform} - {""}
        return self.feed == other.feed and len(platforms) <= 1


def way_of(mention: Mention) -> Way:
    """Return the way of a mention as it was heard."""
    return Way(mention.feed, mention.feed_platform, mention.account, mention.reply_ref, mention.brand, mention.watches)


def with_way(mention: Mention, way: Way) -> Mention:
    """Return the mention, answered by this way."""
    return replace(
        mention,
        feed=way.feed,
        feed_platform=way.feed_platform,
        account=way.account,
        reply_ref=way.reply_ref,
        brand=way.brand,
        watches=way.watches,
    )


def is_summons(first: Way, later: Way) -> bool:
    """Return whether the later hearing knows of a summons that the first one did not."""
    return bool(later.account) and not first.account


def answers_alike(shown: Way, now: Way) -> bool:
    """Return whether an answer goes the way that a person was shown: by the same feed, from the same account."""
    return now.is_by(shown) and now.account == shown.account


def better_way(first: Way, later: Way) -> Way:
    """Return the way back after a later hearing of the same post; where it changes hands, its watches are joined."""
    if is_summons(first, later):
        return replace(later, watches=tuple(dict.fromkeys((*first.watches, *later.watches))))
    return later if later.is_by(first) and later.account == first.account else first
