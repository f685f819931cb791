"""Mastodon, and servers that speak like it: mentions of our account, hashtags, timelines, search. Free.

Settings of a feed (`platform = "mastodon"`), one feed for each account or server:

    base_url           the server, as https://mastodon.social (needed)
    streaming_url      where its streams are ("": the server says so)
    env_prefix         what the names of this account's variables begin with (MASTODON, so MASTODON_ACCESS_TOKEN)
    has_account        whether we have an account there (True); without one only hashtags and public timelines are heard
    handle             our account, as acme@mastodon.social ("": the server is asked whose the token is)
    mode               "stream", or "poll" to only look every `poll_seconds` (stream)
    tags               hashtags to follow ([]: those of the watches, and their words as hashtags)
    notifications      whether mentions of our account are heard, also where no watch matches them (True)
    home               whether posts of the accounts and hashtags that our account follows are heard (True)
    public             public timelines: "off", "local", "remote" or "all" (off)
    search             whether to search for the words of the watches, where the server has full-text search (False)
    hear_private       whether private messages, and posts for followers only, are shown to the whole channel (False)
    poll_seconds       seconds between looks at what is not streamed (60)
    overlap_seconds    how far a look reaches back before the newest post heard (600), because posts of other servers
                       arrive late and are put in by the time they were made
    look_back_hours    how far back the very first look reaches (24)
    max_chars          how long a reply may be (0: the server is asked; Mastodon's own limit is 500)
    answer             "api", or "by_hand" for a token that may not post (api)
    by_hand_page       what is opened to answer by hand: "post" the post itself, "interact" the post on our own server,
                       "share" the same, with a page for a new post that is filled in (post)

What is heard: everything is matched here by the watches, but for what is addressed to our account, which is always
heard. A stream that ends is opened again, and what was said in between is read by page from the cursor on; what is too
much to read is told as a gap. Edits and deletions are heard while a stream is open, and found by looking again daily.
The same post heard on two servers is one mention. Boosts are none, but what they boost may be.

What cannot be done: one server hears only a part of the network; there is no search over all of it. Full-text search
finds only posts whose authors opted in, on servers that have it. Followers-only posts that do not name us, and private
messages, are left out unless `hear_private` is on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from listeners.contract import Capability, FeedContext, Finding, Posted, Shape
from listeners.errors import Permanent
from listeners.mastodon.checks import Checks
from listeners.mastodon.client import Access, Client
from listeners.mastodon.lengths import shape_reply
from listeners.mastodon.listening import Run
from listeners.mastodon.posts import PLATFORM, read_reply_ref
from listeners.mastodon.recheck import look_again
from listeners.mastodon.replies import find_capability, send_reply
from listeners.mastodon.settings import TOKEN, Settings
from listeners.mastodon.sources import compile_query, find_sources
from listeners.mastodon.timelines import Timelines
from listeners.mention import Batch, Mention
from listeners.pacing import Pacer
from listeners.settings import check_settings, read_secret

__all__ = ["MastodonFeed", "Settings", "compile_query", "open_platform"]


def open_platform(settings: Mapping[str, object], context: FeedContext) -> MastodonFeed:
    """Open one feed of Mastodon; no network is touched.

    Raises:
        SettingRefused: a setting cannot work, or the access token is not set.
    """
    checked = check_settings(Settings, settings)
    token = read_secret(context.secrets, checked.env_prefix, TOKEN) if checked.has_account else ""
    access = Access(checked.base_url, token, f"{checked.env_prefix}_{TOKEN}", checked.streaming_url)
    return MastodonFeed(checked, context, access)


class MastodonFeed:
    """One feed of Mastodon."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, context: FeedContext, access: Access) -> None:
        """Take checked settings, and where to ask."""
        self._settings = settings
        self._context = context
        self._access = access
        self._pacer = Pacer(context.pause)
        self._sources = find_sources(settings, context.watches)
        self._run: Run | None = None

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Follow streams, or look again and again; see `Listens`."""
        feed = self._context.feed
        if not self._context.watches:
            raise Permanent(f"No watch listens on the feed '{feed}'; add one, or take the feed away.")
        if not self._sources:
            raise Permanent(f"The feed '{feed}' has nothing to listen to; name tags, or turn a timeline on.")
        self._run = Run(self._settings, self._context, self._access, self._sources, self._pacer)
        yield from self._run.listen(cursor)

    def capability(self, mention: Mention) -> Capability:
        """By the API where the settings say so, otherwise by hand."""
        return find_capability(self._settings, mention)

    def shape(self, text: str, mention: Mention) -> Shape:
        """Name the author, and count as Mastodon does."""
        return shape_reply(text, read_reply_ref(mention.reply_ref), self._settings.max_chars)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post once, in answer to the mention or to the part before; see `Replies`."""
        if self.capability(mention).route != "api":
            raise Permanent("This feed answers by hand: open the post and answer there.")
        return send_reply(self._access, mention, text, send_key, after)

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Look again at posts, for edits and deletions that no stream told of."""
        client = Client(self._access)
        try:
            return look_again(client, self._settings, mentions, self._context.now())
        finally:
            client.close()

    def check(self) -> list[Finding]:
        """Try the server, the token, and each thing that is listened to."""
        findings: list[Finding] = []
        if not self._context.watches:
            sentence = f"No watch listens on '{self._context.feed}'."
            findings.append(Finding(is_good=False, sentence=sentence, remedy="Add a [[watch]] for it."))
        client = Client(self._access)
        timelines = Timelines(client, self._settings, self._context.now, Pacer(lambda _seconds: True))
        try:
            return [*findings, *Checks(client, self._settings, self._sources, timelines).run()]
        finally:
            client.close()

    def close(self) -> None:
        """End every stream and every wait."""
        self._pacer.close()
        if self._run is not None:
            self._run.close()
