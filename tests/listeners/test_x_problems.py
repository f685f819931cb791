"""Every way in which X refuses is told as what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clocks import NOON
from fake_x import SECRET, SECRETS
from hypothesis import given
from hypothesis import strategies as st

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.x.problems import Problem, read_problem, translate
from listeners.x.settings import Settings, read_keys

KEYS = read_keys(SECRETS, "X")
SETTINGS = Settings(handle="kettle_care")
SECOND = int(NOON.timestamp())


def problem_of(status: int, told: object, **headers: str) -> Problem:
    """Read a refusal."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_problem(status, names, json.dumps(told).encode(), NOON, KEYS)


def error_of(status: int, told: object, **headers: str) -> ListenerError:
    """What a look makes of it."""
    return translate(problem_of(status, told, **headers), SETTINGS)


def kind(name: str) -> str:
    """A problem's type."""
    return f"https://api.x.com/2/problems/{name}"


@pytest.mark.parametrize(
    ("status", "told", "error", "said"),
    [
        (401, {"title": "Unauthorized"}, Permanent, "does not accept the keys X_…"),
        (403, {"reason": "client-not-enrolled", "type": kind("client-forbidden")}, Permanent, "no access to this part"),
        (403, {"type": kind("oauth1-permissions")}, Permanent, "may only read"),
        (403, {"detail": "You are not permitted to perform this action."}, Permanent, "not permitted"),
        (400, {"errors": [{"message": "query is broken"}], "detail": "One or more"}, Permanent, "query is broken"),
        (404, {"detail": "No such thing."}, Permanent, "No such thing"),
        (409, {"detail": "A job is active."}, Retryable, "just now"),
        (429, {"title": "Too Many Requests"}, RateLimited, "slow down"),
        (500, {"title": "oops"}, Retryable, "api.x.com answered 500"),
        (302, {}, Retryable, "api.x.com answered 302"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, told: object, error: type[ListenerError], said: str):
    """Try later, or ask a person."""
    caught = error_of(status, told)
    assert type(caught) is error
    assert said in str(caught)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (402, {}),
        (402, {"title": "CreditsDepleted", "detail": "Your account does not have any credits."}),
        (403, {"title": "SpendCapReached", "detail": "Your account has reached its billing cycle spend cap."}),
        (403, {"type": kind("usage-capped")}),
        (429, {"type": kind("usage-capped"), "title": "UsageCapExceeded", "detail": "Monthly product cap"}),
        (429, {"errors": [{"detail": "Usage cap exceeded: Monthly product cap"}]}),
        (403, {"type": kind("credits"), "detail": "No credits"}),
    ],
)
def test_a_lack_of_money_is_no_wrong_key(status: int, told: object):
    """Listening waits, and says where money is added."""
    error = error_of(status, told)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3_600
    assert "paused this app for its spending" in str(error)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (429, {"type": kind("rate-limit-exceeded"), "detail": "Too many requests in this capacity"}),
        (403, {"type": kind("rule-cap"), "detail": "Rule limit reached"}),
        (401, {"detail": "credits"}),
        (500, {"detail": "credits"}),
    ],
)
def test_other_refusals_are_not_about_money(status: int, told: object):
    """Not every cap is the purse."""
    assert not problem_of(status, told).is_about_money


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_rate_limit_reset": str(SECOND + 300)}, 301),
        ({"x_rate_limit_reset": str(SECOND - 300)}, 1),
        ({"x_rate_limit_reset": str(SECOND + 300), "date": "Mon, 23 Nov 2026 12:04:00 GMT"}, 61),
        ({"x_rate_limit_reset": str(SECOND + 10**9)}, 86_400),
        ({"x_rate_limit_reset": "soon", "date": "never"}, None),
        ({"retry_after": "17"}, 17),
        ({}, None),
    ],
)
def test_the_wait_is_by_their_clock(headers: dict[str, str], seconds: float | None):
    """Where X tells its time, ours may be wrong."""
    error = error_of(429, {}, **headers)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_taken_stream_is_told_as_such():
    """It is neither a rate nor a wrong key."""
    error = error_of(429, {"connection_issue": "TooManyConnections", "type": kind("streaming-connection")})
    assert isinstance(error, RateLimited)
    assert "only stream connection" in str(error)
    assert error.retry_after == 60


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b'"text"'])
def test_what_is_no_problem_of_x_is_read_all_the_same(body: bytes):
    """A page, or nothing, in its place: something stands between, and may go away."""
    assert isinstance(translate(read_problem(403, {}, body, NOON, KEYS), SETTINGS), Retryable)


def test_no_key_is_repeated():
    """Not even one that X says itself."""
    told = problem_of(403, {"detail": f"the token {SECRETS['X_BEARER_TOKEN']} is bad", "title": SECRETS["X_API_KEY"]})
    assert SECRET not in f"{told!r} {translate(told, SETTINGS)}"
    assert SECRET not in repr(KEYS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["detail", "errors", "x"]), inner),
    max_leaves=6,
)


@given(
    status=st.integers(300, 599),
    told=st.dictionaries(st.sampled_from(["type", "title", "detail", "errors"]), json_values),
)
def test_no_refusal_is_an_exception(status: int, told: dict[str, object]):
    """Whatever it is made of, it becomes one of the project's own errors."""
    assert isinstance(error_of(status, told), ListenerError)


def test_every_recorded_refusal_is_read(shared: Path):
    """The examples that are errors say why, and are told as what they are."""
    read = 0
    for file in sorted((shared / "recorded/twitter/v2_examples").glob("*.json")):
        example = json.loads(file.read_text())
        if example["code"] >= 400:
            read += 1
            error = error_of(example["code"], example["body"])
            expected = {401: Permanent, 403: Permanent, 400: Permanent, 429: RateLimited, 500: Retryable}
            assert type(error) is expected[example["code"]], file.name
    assert read == 18
