"""The account at Reddit: how it logs in, how its limit is obeyed, and what `cuecard check` says of it."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import praw
import pytest
from clocks import Hands
from fake_reddit import BLOCK_PAGE, SECOND, SECRETS, FakeReddit, comment, refuse, submission
from praw.config import Config
from servers import FAULTS, Answer, Script, Server, bomb, say, slow_down, trickle
from stand_reddit import look_at, open_reddit, texts

from listeners.contract import FeedContext, Finding
from listeners.errors import Permanent, RateLimited, Retryable
from listeners.reddit import line as reddit_line
from listeners.reddit.line import Allowance

Serve = Callable[[Script], Server]
TOKEN = {**SECRETS, "REDDIT_REFRESH_TOKEN": "s3cret-token-to-refresh"}


def check(serve: Serve, context: FeedContext, fake: Script, **settings: object) -> list[Finding]:
    """Check a feed of r/tea."""
    return open_reddit(serve(fake), context, **settings).check()


def test_cuecard_introduces_itself_as_reddit_asks(serve: Serve, context: FeedContext):
    """Platform, name, version and account; with every request, the login's too. A setting may say otherwise."""
    server = serve(FakeReddit())
    look_at(open_reddit(server, context))
    agents = {request.headers["user-agent"] for request in server.requests}
    (agent,) = agents
    assert agent.startswith(f"{sys.platform}:cuecard:v")
    assert "(by /u/acme_care)" in agent
    look_at(open_reddit(server, context, user_agent="web:acme:v9 (by /u/acme_care)"))
    assert server.requests[-1].headers["user-agent"].startswith("web:acme:v9 (by /u/acme_care) PRAW/")


@pytest.mark.parametrize("secrets", [SECRETS, TOKEN])
def test_an_expired_access_is_renewed(serve: Serve, context: FeedContext, secrets: dict[str, str]):
    """By the password or by the token, when it is due and when Reddit takes it back before."""
    fake = FakeReddit([comment("c1", "acme")], refresh_tokens={TOKEN["REDDIT_REFRESH_TOKEN"]})
    batches = open_reddit(serve(fake), context, secrets).listen(None)
    next(batches)
    assert fake.asked.count("api/v1/access_token") == 1
    fake.take_back_tokens()
    fake.add(comment("c2", "acme two", SECOND))
    assert texts(next(batches)) == ["acme two"]
    assert fake.asked.count("api/v1/access_token") == 2


def test_an_access_that_is_short_is_renewed_before_it_is_refused(serve: Serve, context: FeedContext):
    """Each time its seconds are over."""
    fake = FakeReddit([comment("c1", "acme")], life=-60)
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert texts(batch) == ["acme"]
    assert fake.asked.count("api/v1/access_token") == 3


def test_an_access_that_is_never_good_ends_in_an_error(serve: Serve, context: FeedContext):
    """One new login for a refused request, not a loop of them."""
    fake = FakeReddit(mood=lambda path, _: refuse(401) if path.startswith("r/") else None)
    with pytest.raises(Retryable):
        look_at(open_reddit(serve(fake), context))
    assert fake.asked.count("r/tea/comments") == 2


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        (SECRETS | {"REDDIT_CLIENT_ID": "other"}, "does not know this client: REDDIT_CLIENT_ID"),
        (SECRETS | {"REDDIT_CLIENT_SECRET": "other"}, "REDDIT_CLIENT_SECRET do not belong together"),
        (SECRETS | {"REDDIT_PASSWORD": "old:123456"}, "two-factor login a password does not work"),
        (SECRETS | {"REDDIT_REFRESH_TOKEN": "revoked"}, "no longer accepts REDDIT_REFRESH_TOKEN"),
    ],
)
def test_a_refused_login_is_permanent_and_says_what_to_change(
    serve: Serve, context: FeedContext, secrets: dict[str, str], words: str
):
    """The variable is named; what it holds is not."""
    platform = open_reddit(serve(FakeReddit()), context, secrets)
    with pytest.raises(Permanent, match=words):
        look_at(platform)
    (finding,) = platform.check()
    assert not finding.is_good
    assert finding.remedy
    for value in ("other", "old", "revoked", *SECRETS.values()):
        assert value == "acme_care" or value not in f"{finding} {platform!r} {platform._access!r}"


def test_a_client_of_the_wrong_kind_is_told(serve: Serve, context: FeedContext):
    """Reddit says so with status 200."""
    told = say('{"error": "unauthorized_client", "error_description": "Only script apps may use password auth"}')
    with pytest.raises(Permanent, match="kind 'script'"):
        look_at(open_reddit(serve(lambda _request: told), context))


@pytest.mark.parametrize(
    "body", ["{}", "[]", "7", '{"access_token": "x"}', '{"access_token": "x", "expires_in": "soon", "scope": 5}', "{"]
)
def test_a_login_that_tells_no_token_is_tried_again(serve: Serve, context: FeedContext, body: str):
    """Whatever it tells instead."""
    with pytest.raises(Retryable):
        look_at(open_reddit(serve(lambda _request: say(body)), context))


def test_no_file_or_variable_of_praw_reaches_us(
    serve: Serve, context: FeedContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A praw.ini where Cuecard is started could lead the password to another host."""
    (tmp_path / "praw.ini").write_text("[DEFAULT]\nreddit_url=http://127.0.0.1:9\ncomment_kind=t9\nclient_id=theirs\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Config, "CONFIG", None)
    for name in ("praw_client_id", "praw_site", "praw_check_for_updates", "praw_oauth_url"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setattr(praw.reddit, "update_check", pytest.fail)
    fake = FakeReddit([comment("c1", "acme")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        platform = open_reddit(serve(fake), context)
        (batch,) = look_at(platform)
    posted = platform.reply(batch.mentions[0], "hello", "key")
    assert (texts(batch), posted.native_id) == (["acme"], "t1_new1")


def test_an_address_with_a_path_is_kept(serve: Serve, context: FeedContext):
    """For a proxy that serves Reddit under a path of its own."""
    fake = FakeReddit([comment("c1", "acme")])
    server = serve(lambda request: fake(replace(request, path=request.path.removeprefix("/proxy"))))
    platform = open_reddit(server, context, base_url=f"{server.url}/proxy/", oauth_url=f"{server.url}/proxy")
    (batch,) = look_at(platform)
    assert texts(batch) == ["acme"]
    assert batch.mentions[0].url.startswith(f"{server.url}/proxy/r/tea/comments/")
    assert all(request.path.startswith("/proxy/") for request in server.requests)


def test_nothing_secret_is_logged(serve: Serve, context: FeedContext, caplog: pytest.LogCaptureFixture):
    """Also not by the libraries, with every message on."""
    caplog.set_level(logging.DEBUG)
    fake = FakeReddit([comment("c1", "acme")])
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    platform.reply(batch.mentions[0], "hello", "key")
    fake.take_back_tokens()
    platform.recheck(batch.mentions)
    assert "s3cret" not in caplog.text


def test_reads_wait_so_that_the_limit_lasts(serve: Serve, context: FeedContext, hands: Hands):
    """What is left is spread over what is left of the ten minutes; without need nothing waits."""
    limits = {"X-Ratelimit-Used": "700", "X-Ratelimit-Remaining": "300.0", "X-Ratelimit-Reset": "580"}
    fake = FakeReddit(limits=limits)
    batches = open_reddit(serve(fake), context, subreddits=["tea", "pots"]).listen(None)
    next(batches)
    assert hands.paused == pytest.approx(3 * 2, abs=0.1)
    fake.limits = {"X-Ratelimit-Used": "300", "X-Ratelimit-Remaining": "700", "X-Ratelimit-Reset": "300"}
    hands.pause(580)
    next(batches)
    before = hands.paused
    next(batches)
    assert hands.paused - before < 70


def test_a_limit_without_end_is_no_wait(serve: Serve, context: FeedContext):
    """Headers that are missing, or no numbers, are passed over; prawcore would break at them."""
    for limits in (
        {"X-Ratelimit-Remaining": "many", "X-Ratelimit-Used": "few", "X-Ratelimit-Reset": "soon"},
        {"X-Ratelimit-Remaining": "0"},
        {"X-Ratelimit-Remaining": "5", "X-Ratelimit-Used": "nan", "X-Ratelimit-Reset": "-1"},
        {"X-Ratelimit-Remaining": "99.5", "X-Ratelimit-Used": "0.5", "X-Ratelimit-Reset": "12.5"},
    ):
        fake = FakeReddit([comment("c1", "acme")], limits=limits)
        (batch,) = look_at(open_reddit(serve(fake), context))
        assert texts(batch) == ["acme"]


def test_the_last_requests_are_kept_for_replies(serve: Serve, context: FeedContext, hands: Hands):
    """Reading stops until Reddit counts anew; a reply goes."""
    limits = {"X-Ratelimit-Used": "995", "X-Ratelimit-Remaining": "5", "X-Ratelimit-Reset": "120"}
    fake = FakeReddit([comment("c1", "acme")], limits=limits)
    platform = open_reddit(serve(fake), context)
    with pytest.raises(RateLimited) as caught:
        next(platform.listen(None))
    assert caught.value.retry_after == 120
    fake.limits = {}
    hands.pause(121)
    (batch,) = look_at(platform)
    fake.limits = limits
    platform.recheck(batch.mentions)
    with pytest.raises(RateLimited):
        platform.recheck(batch.mentions)
    assert platform.reply(batch.mentions[0], "hello", "key").native_id == "t1_new1"


def test_an_allowance_that_was_told_long_ago_holds_nobody_up():
    """Nor does one that a wrong clock moves far away."""
    hands = Hands()
    allowance = Allowance(hands.now)
    allowance.note({"x-ratelimit-remaining": "0", "x-ratelimit-used": "9", "x-ratelimit-reset": "9e9"})
    with pytest.raises(RateLimited) as caught:
        allowance.seconds_to_wait()
    assert caught.value.retry_after == 600
    hands.pause(601)
    assert allowance.seconds_to_wait() == 0
    assert allowance.seconds_until_reset() is None


@pytest.mark.parametrize(
    ("fault", "words"), [(lambda: trickle(3), "did not answer in time"), (lambda: bomb(30), "broke off its answer")]
)
def test_an_answer_is_read_in_bounded_time_and_size(
    serve: Serve,
    context: FeedContext,
    fault: Callable[[], Answer],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
):
    """A server that trickles never runs into the time-out of a single read; one that packs well needs few bytes."""
    monkeypatch.setattr(reddit_line, "_TOTAL_SECONDS", 0.1)
    monkeypatch.setattr(reddit_line, "_MAX_BYTES", 1_000_000)
    with pytest.raises(Retryable, match=words):
        look_at(open_reddit(serve(lambda _request: fault()), context, subreddits=[], inbox=True))


def test_two_threads_use_one_login_in_turn(serve: Serve, context: FeedContext):
    """A recheck while a look runs."""
    fake = FakeReddit([comment(f"c{number}", "acme", SECOND - number) for number in range(20)])
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    checked: list[int] = []
    threads = [
        threading.Thread(target=lambda: checked.append(len(platform.recheck(batch.mentions).checked))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert checked == [20] * 6


def test_check_says_who_we_are_and_what_can_be_read(serve: Serve, context: FeedContext):
    """One sentence for each place."""
    fake = FakeReddit([submission("s1", "acme")])
    findings = check(serve, context, fake, search=["all"], inbox=True)
    assert all(finding.is_good for finding in findings)
    assert [finding.sentence for finding in findings] == [
        "Reddit answers as u/acme_care.",
        "The search can be read.",
        "r/tea can be read.",
        "The inbox can be read.",
    ]


def test_check_names_what_an_access_is_not_good_for(serve: Serve, context: FeedContext):
    """Reading works; replies and the inbox would not."""
    findings = check(serve, context, FakeReddit(scope="read"), inbox=True)
    bad = [finding.sentence for finding in findings if not finding.is_good]
    assert bad[0] == "The access lacks submit (for replies), privatemessages (for the inbox)."
    assert "not good for the inbox" in bad[1]
    assert any("r/tea" in finding.sentence.lower() and finding.is_good for finding in findings)
    assert all(finding.is_good for finding in check(serve, context, FakeReddit(scope="identity read submit")))


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (FakeReddit(me={"name": "acme_care", "is_suspended": True}), "suspended u/acme_care"),
        (FakeReddit(mood=lambda path, _: refuse(403) if path == "api/v1/me" else None), "suspended the account"),
        (FakeReddit(me={"name": "somebody"}), "belongs to u/somebody, and REDDIT_USERNAME names u/acme_care"),
        (FakeReddit(closed={"tea": (403, "private")}), "r/tea is private"),
        (FakeReddit(closed={"tea": (302, "")}), "There is no r/tea"),
        (FakeReddit(closed={"tea": (404, "banned")}), "r/tea was banned"),
        (FakeReddit(mood=lambda _path, _: slow_down("90")), "asks to slow down"),
        (FakeReddit(mood=lambda _path, _: Answer(403, BLOCK_PAGE)), "network security blocks"),
        (FakeReddit(mood=lambda path, _: Answer(403, BLOCK_PAGE) if "r/" in path else None), "network security blocks"),
        (FakeReddit(mood=lambda path, _: FAULTS["a page instead"]() if "r/" in path else None), "in JSON as it should"),
        (FakeReddit(mood=lambda path, _: say("{}") if "r/" in path else None), "did not answer with a listing"),
        (FakeReddit(mood=lambda _path, _: FAULTS["hung up"]()), "broke off"),
        (FakeReddit(mood=lambda _path, _: Answer(404)), "The login at base_url answers 404"),
        (FakeReddit(mood=lambda _path, _: Answer(503)), "The login at base_url answers 503"),
        (FakeReddit(mood=lambda path, _: Answer(503) if "r/" in path else None), "Reddit answers 503 (r/tea)"),
    ],
)
def test_check_tells_each_kind_of_breakage(serve: Serve, context: FeedContext, fake: FakeReddit, words: str):
    """What is wrong in a sentence, and what to do in another."""
    bad = [finding for finding in check(serve, context, fake) if not finding.is_good]
    assert bad
    assert words in bad[0].sentence
    assert bad[0].remedy


def test_check_tells_how_long_to_wait(serve: Serve, context: FeedContext):
    """In minutes, since a person reads it."""
    (finding,) = check(serve, context, lambda _request: slow_down("300"))
    assert "Wait 5 minutes" in finding.remedy
    (finding,) = check(serve, context, lambda _request: slow_down())
    assert "Wait some minutes" in finding.remedy


def test_check_of_a_wrong_host_says_so(context: FeedContext, serve: Serve):
    """Nobody listens there; the words name the settings."""
    (finding,) = check(serve, context, FakeReddit(), base_url="http://127.0.0.1:9")
    assert "base_url" in finding.sentence
    assert finding.remedy


def test_check_goes_on_where_who_we_are_is_not_told(serve: Serve, context: FeedContext):
    """An access without the scope for it can still hear."""
    fake = FakeReddit(scope="read submit")
    assert all(finding.is_good for finding in check(serve, context, fake))
