"""Bluesky: every public post through Jetstream, and who mentions, answers or quotes our account. Free.

Settings of a feed (`platform = "bluesky"`). Two accounts are two feeds, and one of them is enough for the firehose:

    handle            our account, such as acme.bsky.social (""); without one, answers are made by hand
    env_prefix        begins the account's environment variable (BLUESKY): BLUESKY_APP_PASSWORD, needed with a handle
    firehose          whether every public post is heard and matched (true)
    notifications     whether posts that address our account are heard, also where no watch matches them (true)
    poll_seconds      seconds between looks at the notifications (60)
    look_back_hours   how far back the very first look reaches (1); a stream goes back 36 hours at most
    jetstream_url     where the stream is (wss://jetstream.us-east.bsky.network)
    wire              how it is spoken to: v2, v1 (/subscribe), or auto, which tries v2 first (auto)
    base_url          the server that our account is on, its PDS (https://bsky.social)
    appview_url       who tells everyone the names of authors, and posts (https://public.api.bsky.app)
    post_url          where posts are shown to people (https://bsky.app)
    limit             characters of a reply, counted as people see them (300)

What is heard: Jetstream is asked for all posts and told no word of the watches; its events are matched here, by their
raw bytes first. The author's name and followers, and the post that was answered, are looked up for what matched. Posts
that are deleted, and all posts of an account that is gone, are told as removed.

Answering: from our account, where there is one. A reply names its parent and the root of its thread, its links and
names are made to work, and it is posted at most once, under a key made from the send's own. A thread that its author
closed to us is not answered. A text of more than 300 characters may become a thread. What cannot be done: pictures,
and answering without an account; bots may only answer those who address them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from listeners.bluesky.checks import check_feed
from listeners.bluesky.cursor import read_cursor
from listeners.bluesky.firehose import Firehose
from listeners.bluesky.hearing import Teller, is_name
from listeners.bluesky.jetstream import Jetstream, Place, Stream
from listeners.bluesky.listening import Listening
from listeners.bluesky.people import PER_CALL, People, read_posts
from listeners.bluesky.posts import COLLECTION, PLATFORM, read_words
from listeners.bluesky.replies import Replies, judge_capability, shape_reply
from listeners.bluesky.settings import Settings
from listeners.contract import Capability, Compiled, FeedContext, Finding, Posted, Shape
from listeners.errors import Permanent
from listeners.firehose import Sieve
from listeners.grammar import From, Query, QueryError, needed_leaves, push_negations
from listeners.mention import Batch, Mention, Removal
from listeners.pacing import Pacer, spread
from listeners.settings import check_settings, read_secret

if TYPE_CHECKING:  # these load the client library, which a feed without an account does without
    from listeners.bluesky.account import Account
    from listeners.bluesky.notifications import Notifications

_MOMENT: Final = 0.001


def open_platform(settings: Mapping[str, object], context: FeedContext) -> Bluesky:
    """Open one feed of Bluesky; no network is touched.

    Raises:
        SettingRefused: a setting cannot work, or an account has no app password.
    """
    checked = check_settings(Settings, settings)
    password = read_secret(context.secrets, checked.env_prefix, "APP_PASSWORD", is_needed=bool(checked.handle))
    checked.refuse_contradictions(has_password=bool(password))
    return Bluesky(checked, context, _open_account(checked, password, context) if password else None)


def _open_account(settings: Settings, password: str, context: FeedContext) -> Account:
    from listeners.bluesky.account import Access, Account  # noqa: PLC0415 - it loads the client library

    access = Access(settings.base_url, settings.handle, password, f"{settings.env_prefix}_APP_PASSWORD")
    return Account(access, context.now)


def compile_query(query: Query) -> Compiled:
    """Return what Jetstream is asked, which is the same for every watch.

    Raises:
        QueryError: it asks for an author by something that is no handle of Bluesky.
    """
    asks = [f"subscribeEvents?kinds=commit&kinds=account&collections={COLLECTION}"]
    for leaf in needed_leaves(push_negations(query.root)):
        if isinstance(leaf, From):
            if not is_name(leaf.handle):
                sentence = f"'{leaf.handle}' is no handle of Bluesky; write it whole, as in from:jane.bsky.social."
                raise QueryError(sentence, leaf.position)
            asks.append(f"getProfiles?actors={leaf.handle}")
    return Compiled(
        tuple(asks), "Every post of Bluesky is matched here; its language is the one its author's app says."
    )


class Bluesky:
    """One feed of Bluesky."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, context: FeedContext, account: Account | None) -> None:
        """Take checked settings, and our account, None where there is none."""
        self._settings = settings
        self._context = context
        self._account = account
        self._pacer = Pacer(context.pause)
        self._people = People(settings.appview_url, context.now, None if account is None else account.read)
        wire = None if settings.wire == "auto" else settings.wire
        self._source = Jetstream(settings.jetstream_url, wire, (COLLECTION,), context.now)
        self._stream: Stream | None = None

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Hear the stream and the notifications for ever; see `Listens`."""
        settings, now = self._settings, self._context.now
        left_at = read_cursor(cursor, now() - timedelta(hours=settings.look_back_hours))
        teller = Teller(self._context, self._people, settings.post_url, settings.handle)
        notices = teller.learn_names()
        with ExitStack() as stack:
            firehose = self._open_firehose(left_at.place, teller, stack)
            notifications = self._open_notifications(teller)
            if firehose is None and notifications is None:
                raise Permanent(f"No watch listens on the feed '{self._context.feed}'; add one, or take the feed away.")
            listening = Listening(left_at, teller, firehose, notifications, poll_seconds=settings.poll_seconds, now=now)
            while not self._pacer.is_closed():
                yield replace(listening.look(), notices=notices)
                notices = ()
                if self._pacer.wait(_MOMENT if firehose else spread(settings.poll_seconds)):
                    return

    def capability(self, mention: Mention) -> Capability:
        """From our account, where there is one and the thread is open to it."""
        return judge_capability(mention, "" if self._account is None else self._settings.handle)

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count characters as people see them, and bytes; a longer text may become a thread."""
        del mention  # one limit for all
        return shape_reply(text, self._settings.limit)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post once from our account; see `Replies`."""
        capability = self.capability(mention)
        problem = shape_reply(text, self._settings.limit).problem
        if self._account is None or capability.route != "api":
            raise Permanent(capability.reason)
        if problem:
            raise Permanent(problem)
        return Replies(self._account, self._settings.post_url, self._context.now).reply(mention, text, send_key, after)

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Ask the public server for posts again: deletions are missed while nobody listens; see `Platform`."""
        posts = {mention.native_id: mention for mention in mentions if mention.native_id.startswith("at://")}
        edited, removals, now = list[Mention](), list[Removal](), self._context.now()
        for start in range(0, len(posts), PER_CALL):
            uris = list(posts)[start : start + PER_CALL]
            found = read_posts(self._people.ask("app.bsky.feed.getPosts", uris=uris), now)
            removals += [Removal(PLATFORM, now, native_id=uri) for uri in uris if uri not in found]
            words = {uri: read_words(post.record) for uri, post in found.items() if uri in posts}
            edited += [replace(posts[uri], text=text) for uri, text in words.items() if text != posts[uri].text]
        return Batch(tuple(edited), removals=tuple(removals), checked=tuple(posts))

    def check(self) -> list[Finding]:
        """Try the stream, the public server, and the account."""
        is_watched = bool(self._context.watches)
        return check_feed(self._settings, self._source, self._people, self._account, is_watched=is_watched)

    def close(self) -> None:
        """End a running look and every wait."""
        self._pacer.close()
        self._people.close()
        if self._account is not None:
            self._account.close()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _open_firehose(self, place: Place, teller: Teller, stack: ExitStack) -> Firehose | None:
        watches = self._context.watches
        if not self._settings.firehose or not watches:
            return None
        stream = self._stream = self._source.open(place)
        stack.callback(stream.close)
        return Firehose(stream, Sieve(watches, teller.authors), teller, self._people, self._should_stop)

    def _open_notifications(self, teller: Teller) -> Notifications | None:
        if self._account is None or not self._settings.notifications:
            return None
        from listeners.bluesky.notifications import Notifications  # noqa: PLC0415 - it loads the client library

        return Notifications(self._account, teller)

    def _should_stop(self) -> bool:
        return self._pacer.wait(_MOMENT)
