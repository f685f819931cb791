"""What is told of a feed of Mastodon before it listens, and what became of posts that it heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from clocks import NOON
from fake_mastodon import TOKEN, FakeMastodon, refused
from servers import Answer, Request, Script, Server, say
from stand_mastodon import look_at, open_mastodon

from listeners.catalog import open_platform
from listeners.contract import FeedContext, Finding
from listeners.errors import Permanent, RateLimited, Retryable, WatchRefused
from listeners.mastodon import compile_query
from listeners.mastodon.settings import Settings
from listeners.mastodon.sources import find_sources
from listeners.mention import Mention
from listeners.query import QueryError, Watch, compile_watches, parse

Serve = Callable[[Script], Server]


@pytest.fixture
def fake() -> FakeMastodon:
    """A server where we follow jane."""
    return FakeMastodon(followed={"jane@far.example"})


@pytest.fixture
def server(serve: Serve, fake: FakeMastodon) -> Server:
    """The same, listening."""
    server = serve(fake)
    fake.base = server.url
    return server


def check(server: Server, context: FeedContext, **settings: object) -> list[Finding]:
    """What `cuecard check` would tell; each bad finding has a remedy, and none the token."""
    findings = open_mastodon(server, context, **{"mode": "stream", **settings}).check()
    assert all(finding.remedy for finding in findings if not finding.is_good)
    assert TOKEN not in repr(findings)
    return findings


def bad(findings: list[Finding]) -> str:
    """What is wrong, in one text."""
    return " ".join(finding.sentence for finding in findings if not finding.is_good)


# cuecard check


def test_all_is_well_and_nothing_is_posted(server: Server, fake: FakeMastodon, context: FeedContext):
    """The server, the limit, the account, what is listened to, and the streams."""
    fake.limit = 1_000
    findings = check(server, context, public="all", search=True)
    assert all(finding.is_good for finding in findings)
    told = " ".join(finding.sentence for finding in findings)
    for words in ("version 4.5.2", "1000 characters", "counts for 23", "@acme@mastodon.example", "5 of 5", "streams"):
        assert words in told
    assert not [request for request in server.requests if request.method != "GET"]


def test_a_host_that_is_no_server_of_this_kind_is_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """A page, nothing at all, an error, or somewhere that answers 'not found' to everything."""
    for answer, words in (
        (say("<html>Welcome</html>", Content_Type="text/html"), "does not answer as a Mastodon server does"),
        (say("[]"), "says nothing of itself"),
        (Answer(500), "answers with an error (500)"),
        (Answer(404), "says nothing of itself"),
        (Answer(429), "asks to slow down"),
    ):
        fake.mood = lambda _path, _request, answer=answer: answer
        assert words in bad(check(server, context))


def test_a_host_that_cannot_be_reached_is_told(fake: FakeMastodon, context: FeedContext):
    """With what to look at."""
    with Server(fake) as gone:
        pass
    (finding,) = check(gone, context)
    assert "cannot be reached" in finding.sentence
    assert "base_url" in finding.remedy


def test_a_wrong_token_is_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """With how to get another one."""
    fake.tokens = {"other"}
    findings = check(server, context)
    assert "does not accept the access token; put a new one into MASTODON_ACCESS_TOKEN" in bad(findings)
    assert "Preferences" in findings[-1].remedy


@pytest.mark.parametrize(
    ("scopes", "settings", "words"),
    [
        ({"read"}, {}, "has no scope write:statuses."),
        ({"read:accounts", "read:statuses", "write"}, {}, "has no scope read:notifications."),
        ({"read:accounts", "read:statuses", "write"}, {}, "Mentions of our account: "),
        (
            {"profile", "read:notifications", "read:statuses", "write:statuses"},
            {"search": True},
            "no scope read:search.",
        ),
    ],
)
def test_a_scope_that_is_missing_is_told(
    *,
    server: Server,
    fake: FakeMastodon,
    context: FeedContext,
    scopes: set[str],
    settings: dict[str, object],
    words: str,
):
    """What the token may not do is known before somebody presses Send."""
    fake.scopes = scopes
    if "profile" in scopes:
        fake.mood = lambda path, _request: _as_profile(fake, path)
    assert words in bad(check(server, context, **settings))


def _as_profile(fake: FakeMastodon, path: str) -> Answer | None:
    """The scope `profile` allows one thing only."""
    answer = say(f'{{"acct": "acme", "id": "{fake.person("acme")["id"]}"}}')
    return answer if path.endswith("accounts/verify_credentials") else None


def test_scopes_that_are_enough_are_enough(server: Server, fake: FakeMastodon, context: FeedContext):
    """The narrow ones do; write is not needed by hand; and older servers do not tell of scopes at all."""
    fake.scopes = {"read:accounts", "read:statuses", "read:notifications"}
    assert not bad(check(server, context, answer="by_hand"))
    fake.mood = lambda path, _request: refused(404, "no") if "apps" in path else None
    assert not bad(check(server, context))


def test_mentions_that_are_held_back_are_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """An account can be set to hold back what strangers say to it; nothing of that would ever be heard."""
    fake.policy = {"for_not_following": "filter", "for_new_accounts": "drop", "for_not_followers": "accept"}
    assert "by people whom we do not follow and by new accounts are held back" in bad(check(server, context))
    assert not bad(check(server, context, notifications=False))


def test_a_token_of_another_account_is_told(server: Server, context: FeedContext):
    """Replies would go out under a name that nobody expects."""
    assert "is that of @acme@mastodon.example, and handle says @other@" in bad(check(server, context, handle="other"))
    assert not bad(check(server, context, handle="@Acme@mastodon.example"))


def test_a_limit_above_the_servers_is_told(server: Server, context: FeedContext):
    """A reply that the server refuses is written for nothing."""
    assert "max_chars is 900, and" in bad(check(server, context, max_chars=900))


def test_streams_that_are_not_allowed_are_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """The feed works all the same; a server that fails is told as failing."""
    fake.flags.add("no_streams")
    assert "does not stream user, tag:acme to us" in bad(check(server, context))
    assert not bad(check(server, context, mode="poll"))
    fake.mood = lambda path, _request: Answer(503) if "streaming" in path else None
    assert "answers with an error (503)" in bad(check(server, context))


def test_a_timeline_that_is_closed_is_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """In the server's own words, with which it is; the others are tried too."""
    closed = refused(422, "This method requires an authenticated user")
    fake.mood = lambda path, _request: closed if path == "/api/v1/timelines/public" else None
    findings = check(server, context, public="local", mode="poll")
    assert "The public timeline (local): " in bad(findings)
    assert "requires an authenticated user" in bad(findings)
    assert any("3 of 4" in finding.sentence for finding in findings)


def test_a_search_that_finds_nothing_is_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """Not even our own last post with a word that is rare: full-text search is off."""
    fake.post("@bob our quarterly teapots have arrived", acct="acme")
    assert not bad(check(server, context, search=True))
    fake.flags.add("no_search")
    assert "does not even find our own post with 'quarterly'" in bad(check(server, context, search=True))
    fake.statuses.clear()
    assert not bad(check(server, context, search=True))


def test_a_feed_without_watches_is_told(server: Server, context: FeedContext):
    """It would listen for nothing."""
    assert "No watch listens on 'main'" in bad(check(server, replace(context, watches=compile_watches([]))))


def test_a_server_without_an_account_is_checked_without_a_token(server: Server, context: FeedContext):
    """Only what is open is tried."""
    findings = check(server, context, has_account=False, public="local")
    assert not bad(findings)
    assert not any("access token" in finding.sentence for finding in findings)


# What a watch becomes


@pytest.mark.parametrize(
    ("query", "asks"),
    [
        ("acme", ("follow #acme", "search acme")),
        ("#Acme", ("follow #acme", "search Acme")),
        ('"acme cloud"', ('search "acme cloud"',)),
        ("(acme OR globex) refund", ("follow #refund", "search refund")),
        ("#acme refund lang:en -jobs", ("follow #acme", "search acme")),
        ("refund (#acme OR #globex)", ("follow #acme", "follow #globex", "follow #refund", "search refund")),
        ("from:jane@far.example", ("read posts by @jane@far.example",)),
        ("acme OR from:jane@far.example", ("follow #acme", "search acme", "read posts by @jane@far.example")),
        ("@acme", ("search acme",)),
        ("-#jobs acme-cloud", ('search "acme-cloud"',)),
        ("42 OR 東京", ("follow #東京", "search 42", "search 東京")),
        ("acme OR from:jane", ("follow #acme", "search acme")),
        ("👋", ()),
    ],
)  # fmt: skip
def test_a_watch_becomes_hashtags_searches_and_people(query: str, asks: tuple[str, ...]):
    """The fewest that miss nothing, and each hashtag that is asked for by name."""
    assert compile_query(parse(query)).asks == asks


def test_what_is_only_heard_where_it_comes_by_is_said():
    """Nobody should think that all of the network is searched."""
    assert "Posts without a hashtag that is followed are heard only where" in compile_query(parse("acme")).checked_here
    assert "No hashtag can be followed" in compile_query(parse('"acme cloud"')).checked_here


@pytest.mark.parametrize(
    ("query", "position"), [("from:jane", 0), ("acme from:jane", 5), ("(from:a OR from:b) tea", 1)]
)
def test_a_person_without_a_server_is_refused(context: FeedContext, query: str, position: int):
    """No post is by such a name, so the watch would be deaf; the sentence says how to write it."""
    with pytest.raises(QueryError, match=r"as in from:\w+@mastodon.social") as caught:
        compile_query(parse(query))
    assert caught.value.position == position
    watches = compile_watches([Watch("w", "Acme", query)])
    with pytest.raises(WatchRefused, match="Mastodon cannot listen for this: people are named"):
        open_platform("mastodon", {"base_url": "https://x.example"}, replace(context, watches=watches))


def test_settings_say_what_is_listened_to():
    """Hashtags of the settings replace those of the watches; without an account only what is open is left."""
    watches = compile_watches([Watch("a", "Acme", "acme"), Watch("b", "Acme", '#tea OR "acme cloud"')])

    def keys(**settings: object) -> list[str]:
        chosen = Settings.model_validate({"base_url": "https://x.example", **settings})
        return [source.key for source in find_sources(chosen, watches)]

    assert keys() == ["notifications", "home", "tag:acme", "tag:tea"]
    assert keys(tags=["#Acme", "acme", "東京"], home=False) == ["notifications", "tag:acme", "tag:東京"]
    assert keys(has_account=False, search=True, public="all") == ["public:all", "tag:acme", "tag:tea"]
    assert keys(search=True, notifications=False, home=False, tags=["x"]) == [
        "tag:x", "search:acme", "search:tea", 'search:"acme cloud"',
    ]  # fmt: skip


# Looking again


def heard(server: Server, context: FeedContext) -> tuple[Mention, ...]:
    """The mentions there are."""
    return look_at(open_mastodon(server, context))[0].mentions


@pytest.mark.parametrize("flags", [set(), {"no_many"}])
def test_edits_and_removals_are_found(server: Server, fake: FakeMastodon, context: FeedContext, flags: set[str]):
    """Many posts in one question where the server knows it, else one by one."""
    fake.flags = flags
    statuses = [fake.post(f"acme {number}") for number in range(45)]
    mentions = heard(server, context)
    fake.edit(statuses[3], "acme, edited")
    fake.delete(statuses[7])
    fake.asked.clear()
    batch = open_mastodon(server, context).recheck(mentions)
    (edit,) = batch.mentions
    assert edit == replace(mentions[3], text="acme, edited")
    assert [removal.native_id for removal in batch.removals] == [statuses[7]["uri"]]
    assert set(batch.checked) == {mention.native_id for mention in mentions}
    assert (len(fake.asked) < 10) is not bool(flags)


def test_a_page_of_something_else_takes_nothing_down(server: Server, fake: FakeMastodon, context: FeedContext):
    """A 404 that is not the server's own word, a login page, a limit or an error purge no text."""
    fake.post("acme one")
    mentions = heard(server, context)
    fake.statuses.clear()
    for answer, error in (
        (Answer(404, b"<h1>Not Found</h1>"), Retryable),
        (Answer(410), Retryable),
        (say("<html>Log in</html>"), Retryable),
        (say("{}"), Retryable),
        (Answer(500), Retryable),
        (Answer(429, b"", {"Retry-After": "5"}), RateLimited),
        (refused(401, "The access token is invalid"), Permanent),
    ):

        def mood(path: str, _request: Request, answer: Answer = answer) -> Answer | None:
            return answer if "/statuses/" in path else None

        fake.mood = mood
        with pytest.raises(error):
            open_mastodon(server, context).recheck(mentions)
    fake.mood = lambda _path, _request: None
    assert len(open_mastodon(server, context).recheck(mentions).removals) == 1


def test_posts_of_another_server_are_left_to_its_feed(server: Server, fake: FakeMastodon, context: FeedContext):
    """Their numbers mean nothing here; and a number that is another post's by now changes nothing."""
    status = fake.post("acme one")
    (mention,) = heard(server, context)
    stranger = replace(mention, reply_ref=mention.reply_ref.replace(server.host, "other.example"))
    server.requests.clear()
    assert open_mastodon(server, context).recheck([stranger, replace(mention, reply_ref="")]).checked == ()
    assert not server.requests
    fake.statuses[str(status["id"])] = fake.write("another post", at=NOON)
    batch = open_mastodon(server, context).recheck([mention])
    assert (batch.mentions, batch.removals, batch.checked) == ((), (), (mention.native_id,))
