"""Answering on Mastodon: seen by no more people than it may be, and posted at most once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from clocks import NOON
from fake_mastodon import SECRETS, TOKEN, FakeMastodon, refused, told
from servers import FAULTS, Answer, Request, Script, Server, cut_short, half_close, say, trickle
from stand_mastodon import look_at, open_mastodon

from listeners.contract import FeedContext, Posted
from listeners.errors import Permanent, RateLimited, Retryable, Unknown
from listeners.mastodon import client as mastodon_client
from listeners.mastodon.posts import ReplyRef, read_reply_ref
from listeners.mention import Author, Mention

Serve = Callable[[Script], Server]
JANE: Final = ReplyRef(
    "7", "mastodon.example", "mastodon.example", "jane@far.example", "@acme@mastodon.example", "public"
)
BOB: Final = replace(JANE, author="bob@mastodon.example")
LONG: Final = "This is a sentence of nine words, for Jane. " * 20


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


def heard(server: Server, context: FeedContext, **settings: object) -> Mention:
    """The one mention that is heard there."""
    (batch,) = look_at(open_mastodon(server, context, **settings))
    return batch.mentions[0]


def test_a_reply_goes_by_the_api_from_our_account(server: Server, fake: FakeMastodon, context: FeedContext):
    """Told before the person writes, with who will see it."""
    for visibility, seen_by in (
        ("public", "everybody"),
        ("private", "our followers"),
        ("direct", "the people it names"),
    ):
        fake.statuses.clear()
        fake.notifications.clear()
        fake.post("@acme hi", acct="bob", visibility=visibility, spoiler_text="food")
        mention = heard(server, context, hear_private=True)
        capability = open_mastodon(server, context).capability(mention)
        assert (capability.route, capability.account) == ("api", "@acme@mastodon.example")
        assert seen_by in capability.reason
        assert "content warning is kept" in capability.reason


def test_a_reply_by_hand_opens_the_post(server: Server, fake: FakeMastodon, context: FeedContext):
    """Where it was posted, or on our own server, or with a new post that is filled in."""
    status = fake.post("acme is down")
    mention = heard(server, context)
    own = f"{server.url}/authorize_interaction?uri=https%3A%2F%2Ffar.example%2Fusers%2Fjane%2Fstatuses%2F{status['id']}"
    expected = {
        "post": (status["url"], ""),
        "interact": (own, ""),
        "share": (own, f"{server.url}/share?text={{text}}"),
    }
    for page, (url, prefill) in expected.items():
        platform = open_mastodon(server, context, answer="by_hand", by_hand_page=page)
        capability = platform.capability(mention)
        assert (capability.route, capability.url, capability.prefill) == ("by_hand", url, prefill)
        with pytest.raises(Permanent, match="answers by hand"):
            platform.reply(mention, "hi", "key")
    nowhere = replace(mention, url="", native_id="7")
    assert open_mastodon(server, context, {}, has_account=False).capability(nowhere).route == "none"
    assert not fake.posted


def test_a_reply_is_posted_once_in_its_thread(server: Server, fake: FakeMastodon, context: FeedContext):
    """With the key, to the post that is answered, and confirmed with its address."""
    status = fake.post("acme is down")
    mention = heard(server, context)
    platform = open_mastodon(server, context)
    shape = platform.shape("We are on it.", mention)
    posted = platform.reply(mention, shape.text, "key-1")
    (form,) = fake.posted
    assert form["status"] == "@jane@far.example We are on it."
    assert (form["in_reply_to_id"], form["visibility"]) == (status["id"], "public")
    assert "spoiler_text" not in form
    (request,) = [request for request in server.requests if request.method == "POST"]
    assert request.headers["idempotency-key"] == "key-1"
    answer = fake.by_key["key-1"]
    assert (posted.native_id, posted.url) == (answer["uri"], answer["url"])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("public", "public"),
        ("unlisted", "unlisted"),
        ("private", "private"),
        ("direct", "direct"),
        ("local", "direct"),
        ("list", "direct"),
        (None, "direct"),
    ],
)
def test_a_reply_is_never_seen_by_more_people(
    server: Server, fake: FakeMastodon, context: FeedContext, theirs: str | None, ours: str
):
    """As the post that is answered, or only by those who are named where that is of another kind; its warning stays."""
    fake.post("@acme hi", acct="bob", visibility=theirs, spoiler_text="food")
    mention = heard(server, context, hear_private=True)
    open_mastodon(server, context).reply(mention, "@bob hi", "key")
    assert (fake.posted[0]["visibility"], fake.posted[0]["spoiler_text"]) == (ours, "food")


def test_the_parts_of_a_thread_answer_each_other(server: Server, fake: FakeMastodon, context: FeedContext):
    """Each part answers the one before; visibility and warning stay."""
    fake.post("acme is down", spoiler_text="outage", visibility="unlisted")
    mention = heard(server, context)
    platform = open_mastodon(server, context)
    first = platform.reply(mention, "@jane@far.example one", "key-1")
    second = platform.reply(mention, "two", "key-2", after=first)
    ids = [str(fake.by_key[key]["id"]) for key in ("key-1", "key-2")]
    assert fake.posted[1]["in_reply_to_id"] == ids[0]
    assert (fake.posted[1]["visibility"], fake.posted[1]["spoiler_text"]) == ("unlisted", "outage")
    platform.reply(mention, "three", "key-3", after=Posted(second.native_id))
    assert fake.posted[2]["in_reply_to_id"] == ids[1]


def test_a_post_that_another_server_told_of_is_looked_up(server: Server, fake: FakeMastodon, context: FeedContext):
    """Numbers mean nothing elsewhere: our server fetches the post by its address, and the reply answers that."""
    elsewhere = fake.write("acme far away", acct="eve@else.example", id="4711", visibility="unlisted")
    fake.known_elsewhere[str(elsewhere["uri"])] = elsewhere
    ref = replace(JANE, id="99", host="other.example")
    mention = Mention("mastodon", str(elsewhere["uri"]), "acme far away", Author("eve@else.example"), NOON)
    for number, reply_ref in enumerate((ref.to_text(), "")):
        open_mastodon(server, context).reply(replace(mention, reply_ref=reply_ref), "hi", f"key-{number}")
    assert [form["in_reply_to_id"] for form in fake.posted] == ["4711", "4711"]
    assert [form["visibility"] for form in fake.posted] == ["public", "unlisted"]


def test_a_post_that_cannot_be_found_is_not_answered(server: Server, fake: FakeMastodon, context: FeedContext):
    """Another post that the search finds instead is not answered in its place."""
    fake.post("https://else.example/1 is down")
    mention = Mention("mastodon", "https://else.example/1", "acme", Author("eve@else.example"), NOON)
    with pytest.raises(Permanent, match="cannot find this post"):
        open_mastodon(server, context).reply(mention, "hi", "key")
    fake.mood = lambda path, _request: told({"statuses": [fake.write("x")]}) if "search" in path else None
    with pytest.raises(Permanent, match="cannot find this post"):
        open_mastodon(server, context).reply(mention, "hi", "key")
    fake.mood = lambda path, _request: Answer(503) if "search" in path else None
    with pytest.raises(Retryable):
        open_mastodon(server, context).reply(mention, "hi", "key")
    assert not fake.posted


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refused(401, "The access token is invalid"), Permanent, "does not accept the access token"),
        (refused(403, "This action is outside the authorized scopes"), Permanent, "write:statuses"),
        (Answer(403, b"<html>"), Permanent, "write:statuses"),
        (refused(404, "Record not found"), Permanent, "it is gone, or hidden"),
        (refused(410, "Gone"), Permanent, "it is gone, or hidden"),
        (
            refused(422, "Validation failed: Text limit exceeded"),
            Permanent,
            "says: Validation failed: Text limit exceeded",
        ),
        (refused(400, "Bad"), Permanent, "says: Bad"),
        (refused(413, ""), Permanent, "413"),
        (Answer(429, b"", {"Retry-After": "11"}), RateLimited, "slow down"),
        (refused(429, "Too many"), RateLimited, "slow down"),
        (Answer(408), Unknown, "did not confirm"),
        (Answer(409), Unknown, "did not confirm"),
        (Answer(500), Unknown, "did not confirm"),
        (Answer(502, b"<html>"), Unknown, "did not confirm"),
        (Answer(503, b"", {"Retry-After": "30"}), Unknown, "did not confirm"),
        (Answer(504), Unknown, "did not confirm"),
        (Answer(301, b"", {"Location": "/api/v1/statuses"}), Unknown, "did not confirm"),
        (say("<html>Log in</html>"), Unknown, "did not confirm"),
        (say('{"id": "1"'), Unknown, "did not confirm"),
        (say(""), Unknown, "did not confirm"),
        (say("[]"), Unknown, "did not confirm"),
        (say("{}"), Unknown, "did not confirm"),
        (say('{"id": null}'), Unknown, "did not confirm"),
        (half_close(), Unknown, "did not confirm"),
        (cut_short(), Unknown, "did not confirm"),
    ],
)
def test_a_refusal_says_what_is_certain(
    *, server: Server, fake: FakeMastodon, context: FeedContext, answer: Answer, error: type[Exception], words: str
):
    """Only what certainly was not posted may be tried again; one POST was made, and no other."""
    fake.post("acme is down")
    mention = heard(server, context)
    fake.mood = lambda _path, request: answer if request.method == "POST" else None
    with pytest.raises(Exception, match=re.escape(words)) as caught:
        open_mastodon(server, context).reply(mention, "hi", "key")
    assert type(caught.value) is error
    assert TOKEN not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert len([request for request in server.requests if request.method == "POST"]) == 1


def test_a_limit_that_cannot_be_read_is_no_reason_to_doubt(server: Server, fake: FakeMastodon, context: FeedContext):
    """The library fails on such headers after the post was made; the person must not be told that it was not."""
    fake.post("acme is down")
    mention = heard(server, context)
    fake.headers = {"X-RateLimit-Reset": "never", "Deprecation": "true"}
    assert open_mastodon(server, context).reply(mention, "hi", "key").native_id
    assert len(fake.posted) == 1


def test_a_reply_that_takes_for_ever_is_in_doubt(
    server: Server, fake: FakeMastodon, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """An answer that trickles in does not hold the outbox up."""
    monkeypatch.setattr(mastodon_client, "TOTAL_SECONDS", 0.2)
    fake.post("acme is down")
    mention = heard(server, context)
    fake.mood = lambda _path, request: trickle(20) if request.method == "POST" else None
    with pytest.raises(Unknown):
        open_mastodon(server, context).reply(mention, "hi", "key")


def test_a_server_that_cannot_be_reached_posted_nothing(fake: FakeMastodon, context: FeedContext):
    """Nothing left this machine: it may be tried again."""
    with Server(fake) as gone:
        fake.base = gone.url
        fake.post("acme is down")
        mention = heard(gone, context)
        platform = open_mastodon(gone, context)
    with pytest.raises(Retryable, match="nothing was posted"):
        platform.reply(mention, "hi", "key")
    assert not fake.posted


def test_a_redirected_post_is_not_made_a_question_of(server: Server, fake: FakeMastodon, context: FeedContext):
    """A POST that is sent on arrives as a GET elsewhere: it is not followed, and the token goes nowhere."""
    fake.post("acme is down")
    mention = heard(server, context)
    seen: list[Request] = []
    with Server(lambda request: (seen.append(request), say("{}"))[1]) as other:
        there = Answer(302, b"", {"Location": f"{other.url}/api/v1/statuses"})
        fake.mood = lambda _path, request: there if request.method == "POST" else None
        with pytest.raises(Unknown):
            open_mastodon(server, context).reply(mention, "hi", "key")
    assert not seen


def test_a_token_that_is_the_name_of_a_file_is_still_a_token(
    server: Server, fake: FakeMastodon, context: FeedContext, tmp_path: Path
):
    """The library would read the file and send its first line."""
    file = tmp_path / "token"
    file.write_text("other")
    fake.tokens = {str(file)}
    fake.post("acme is down")
    secrets = {**SECRETS, "MASTODON_ACCESS_TOKEN": str(file)}
    (batch,) = look_at(open_mastodon(server, context, secrets))
    assert len(batch.mentions) == 1


def test_a_netrc_file_changes_no_token(
    server: Server, fake: FakeMastodon, context: FeedContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nor does a proxy of the environment get it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login jane password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fake.post("acme is down")
    next(open_mastodon(server, context, mode="stream").listen(None))
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {TOKEN}"}


def test_every_fault_is_told_in_the_projects_own_errors(server: Server, fake: FakeMastodon, context: FeedContext):
    """Whatever happens to the POST, it is one of the four, and anything unclear is in doubt."""
    fake.post("acme is down")
    mention = heard(server, context)
    for name, fault in FAULTS.items():
        if name == "a bomb":
            continue
        fake.mood = lambda _path, request, fault=fault: fault() if request.method == "POST" else None
        with pytest.raises((Unknown, Permanent, Retryable)) as caught:
            open_mastodon(server, context).reply(mention, "hi", "key")
        assert isinstance(caught.value, Unknown) or name in {"asked to slow down", "not found"}, name
    assert read_reply_ref(mention.reply_ref).author == "jane@far.example"
