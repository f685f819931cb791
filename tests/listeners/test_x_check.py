"""`cuecard check` tells each kind of breakage as what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clocks import Hands
from fake_x import OUR_HANDLE, SECRETS, FakeX, problem
from servers import FAULTS, Answer, redirect, say
from stand import Serve
from stand_x import open_x

from listeners import x
from listeners.contract import FeedContext, Finding
from listeners.query import compile_watches


@pytest.fixture
def fake(hands: Hands) -> FakeX:
    """X, with the tests' clock."""
    return FakeX(now=hands.now)


def bad(findings: list[Finding]) -> list[Finding]:
    """What is broken; each says what to do."""
    broken = [finding for finding in findings if not finding.is_good]
    assert all(finding.remedy for finding in broken)
    return broken


def test_all_is_well(serve: Serve, fake: FakeX, context: FeedContext):
    """The account, what X counts, the stream, and the money."""
    fake.rules = [{"id": "1", "value": "cats", "tag": "theirs"}]
    spent = replace(context, spent=lambda: 12_400_000)
    findings = open_x(serve(fake), spent, mode="stream").check()
    assert [finding.is_good for finding in findings] == [True] * 4
    assert [finding.sentence for finding in findings] == [
        f"X knows @{OUR_HANDLE}.",
        "X counts 1,234 of 3,000,000 posts read by this project in its month.",
        "X's stream lets Cuecard in; 1 rule is set.",
        "$12.41 of $50.00 spent this month.",
    ]
    assert fake.rules == [{"id": "1", "value": "cats", "tag": "theirs"}]


def test_before_the_first_start_the_stream_has_no_rules(serve: Serve, fake: FakeX, context: FeedContext):
    """That is no breakage."""
    assert not bad(open_x(serve(fake), context, mode="stream").check())


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_wrong_key_is_told(serve: Serve, fake: FakeX, context: FeedContext, name: str):
    """Whichever of the five it is."""
    (finding,) = bad(open_x(serve(fake), context, secrets={**SECRETS, name: "another"}).check())
    assert "does not accept the keys X_" in finding.sentence
    assert "all five keys" in finding.remedy


def test_keys_of_another_account_are_told(serve: Serve, fake: FakeX, context: FeedContext):
    """A reply would go out in the wrong name."""
    (finding,) = bad(open_x(serve(fake), context, handle="somebody").check())
    assert finding.sentence == f"The access keys belong to @{OUR_HANDLE}, and the settings name @somebody."
    (finding,) = bad(open_x(serve(fake), context, user_id="78").check())
    assert "user_id is not the number" in finding.sentence


def test_an_app_that_may_only_read_is_told(serve: Serve, fake: FakeX, context: FeedContext):
    """X says so in a header."""
    fake.access_level = "read"
    (finding,) = bad(open_x(serve(fake), context).check())
    assert "may only read" in finding.sentence
    assert "Read and write" in finding.remedy


@pytest.mark.parametrize(
    ("answer", "said", "remedy"),
    [
        (problem(403, "client-forbidden", reason="client-not-enrolled"), "no access", "project, access"),
        (problem(402, "credits", "No credits."), "paused this app for its spending", "the keys are good"),
        (problem(429, "usage-capped"), "paused this app for its spending", "the keys are good"),
        (problem(429, "rate-limit-exceeded"), "slow down", "later"),
        (say("<html>log in</html>"), "does not speak X's language", "base_url"),
        (say("[]"), "does not answer as X does", "base_url"),
        (Answer(404), "answered 404", "base_url"),
        (Answer(500), "answered 500", "base_url"),
        (redirect("http://10.0.0.1/"), "answered 302", "base_url"),
    ],
)
def test_other_breakage_is_told(  # noqa: PLR0917 - a row of the table
    serve: Serve, fake: FakeX, context: FeedContext, answer: Answer, said: str, remedy: str
):
    """No access, no money, no X."""
    fake.faults["GET /2/usage"] = [answer]
    (finding,) = bad(open_x(serve(fake), context).check())
    assert said in finding.sentence
    assert remedy in finding.remedy


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_check_never_raises(serve: Serve, fake: FakeX, context: FeedContext, fault: str):
    """Whatever answers."""
    fake.faults["GET /2"] = [FAULTS[fault](), FAULTS[fault]()]
    assert bad(open_x(serve(fake), context, mode="stream").check())


def test_a_host_that_is_not_there_is_told(context: FeedContext):
    """By its name only."""
    settings = {"handle": OUR_HANDLE, "base_url": "http://127.0.0.1:9/x"}
    findings = bad(x.open_platform(settings, replace(context, secrets=SECRETS)).check())
    assert {finding.sentence for finding in findings} == {"X cannot be reached at 127.0.0.1:9."}


def test_full_rules_are_told(serve: Serve, fake: FakeX, context: FeedContext):
    """Before a start fails on them."""
    fake.rules = [{"id": str(number), "value": f"cat{number}", "tag": "t"} for number in range(1_000)]
    (finding,) = bad(open_x(serve(fake), context, mode="stream").check())
    assert finding.sentence == "X's stream takes 1,000 rules, and this project would need 1,001."


def test_a_ghost_of_a_connection_is_told(serve: Serve, fake: FakeX, context: FeedContext):
    """Or another program; the stream that this very feed holds is none."""
    server = serve(fake)
    feed = open_x(server, context, mode="stream")
    listener = feed.listen(None)
    next(listener)
    assert not bad(feed.check())
    (finding,) = bad(open_x(server, context, mode="stream").check())
    assert "only stream connection" in finding.sentence
    assert "If Cuecard is running now" in finding.remedy
    listener.close()


def test_no_watch_is_told(serve: Serve, fake: FakeX, context: FeedContext):
    """Only mentions of the account are heard then, which may be what was wanted."""
    nothing = replace(context, watches=compile_watches([]))
    (finding,) = bad(open_x(serve(fake), nothing).check())
    assert f"only posts that mention @{OUR_HANDLE}" in finding.sentence
    assert not bad(open_x(serve(fake), nothing, mode="mentions").check())


def test_a_budget_that_is_used_up_is_told(serve: Serve, fake: FakeX, context: FeedContext):
    """With what was spent."""
    (finding,) = bad(open_x(serve(fake), replace(context, spent=lambda: 50_000_000)).check())
    assert "used up" in finding.sentence
    assert finding.remedy == "$50.01 of $50.00 spent this month."
