"""The small X behaves as its pages say, so that what passes against it has a chance against the real one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from clocks import NOON
from fake_x import OUR_HANDLE, OUR_ID, SECRETS, FakeX, id_of, moment_of
from fake_x_rules import Looked, RuleError, read_rule
from requests_oauthlib import OAuth1
from servers import Server
from stand import Serve

BEARER = {"Authorization": f"Bearer {SECRETS['X_BEARER_TOKEN']}"}


@pytest.fixture
def fake() -> FakeX:
    """X in small."""
    return FakeX()


def ask(server: Server, path: str, method: str = "GET", body: object = None, **asked: str) -> dict[str, object]:
    """Ask as the app."""
    answer = requests.request(method, server.url + path, params=asked, json=body, headers=BEARER, timeout=5)
    told = answer.json()
    assert answer.ok, told
    assert isinstance(told, dict)
    return told


def refusal(server: Server, path: str, **asked: str) -> tuple[int, str]:
    """How it is refused."""
    answer = requests.get(server.url + path, params=asked, headers=BEARER, timeout=5)
    return answer.status_code, answer.text


def sign(**changes: str) -> OAuth1:
    """Sign as our account, by another library than the fake's own check."""
    keys = SECRETS | changes
    return OAuth1(keys["X_API_KEY"], keys["X_API_SECRET"], keys["X_ACCESS_TOKEN"], keys["X_ACCESS_SECRET"])


def test_a_signature_is_checked(serve: Serve, fake: FakeX):
    """Over the method, the host, the path and everything asked."""
    server = serve(fake)
    address = f"{server.url}/2/users/{OUR_ID}/mentions"
    asked = {"max_results": "5", "user.fields": "name,username", "x": "a b&c"}
    assert requests.get(address, params=asked, auth=sign(), timeout=5).status_code == 200
    for name in list(SECRETS)[1:]:
        assert requests.get(address, params=asked, auth=sign(**{name: "x"}), timeout=5).status_code == 401
    prepared = requests.Request("GET", address, params=asked, auth=sign()).prepare()
    prepared.url = str(prepared.url).replace("max_results=5", "max_results=6")
    with requests.Session() as session:
        assert session.send(prepared, timeout=5).status_code == 401
    assert requests.get(address, headers=BEARER, timeout=5).status_code == 403


def test_the_search_pages_and_refuses_as_x_does(serve: Serve, fake: FakeX):
    """Newest first; ten at least; a number of the last seven days."""
    for number in range(25):
        fake.add(f"acme {number}", 60 - number)
    server = serve(fake)
    first = ask(server, "/2/tweets/search/recent", query="acme")
    meta = first["meta"]
    assert isinstance(meta, dict)
    assert (meta["result_count"], meta["next_token"]) == (10, "b10")
    assert ask(server, "/2/tweets/search/recent", query="acme", since_id=str(meta["newest_id"]))["meta"] == {
        "result_count": 0
    }
    stale = id_of(NOON - timedelta(days=8))
    assert "since_id" in refusal(server, "/2/tweets/search/recent", query="acme", since_id=stale)[1]
    assert refusal(server, "/2/tweets/search/recent", query="acme", max_results="5")[0] == 400
    assert refusal(server, "/2/tweets/search/recent", query="a" * 513)[0] == 400
    assert refusal(server, "/2/tweets/search/recent", query="acme -(a b)")[0] == 400
    assert refusal(server, "/2/tweets/search/recent", query="acme", start_time="2026-11-23T12:00:00Z")[0] == 400


@pytest.mark.parametrize(
    ("rule", "text", "is_found"),
    [
        ("acme", "I like ACME's", True),
        ("acme", "#acme", True),
        ("acme", "acmes", False),
        ("acme cloud", "cloud of acme", True),
        ('"acme cloud"', "cloud of acme", False),
        ('"coca-cola"', "coca cola", True),
        ("acme OR globex cloud", "globex", False),
        ("(acme OR globex) -jobs", "globex jobs", False),
        ("café", "cafe", False),
        ("@acme", "hi @Acme!", True),
        ("@acme", "hi @acme_help", False),
        ("acme lang:de", "acme", False),
        ("from:jane", "x", True),
    ],
)
def test_a_rule_finds_what_x_says_it_finds(rule: str, text: str, is_found: bool):
    """Words at punctuation, phrases in order, accents as they are."""
    assert read_rule(rule)(Looked(text, "Jane", "en")) is is_found


@pytest.mark.parametrize(
    "rule",
    ["", "-acme", "lang:en", "acme OR -jobs", "(acme", "acme)", "acme or b", "c++", "lang:xx acme", "has:cats a", "()"],
)
def test_a_rule_that_x_refuses_is_refused(rule: str):
    """Each for its own reason."""
    with pytest.raises(RuleError):
        read_rule(rule)


def test_rules_are_made_once_and_deleted_by_number(serve: Serve, fake: FakeX):
    """With a word for each that is not."""
    server = serve(fake)
    path = "/2/tweets/search/stream/rules"
    told = ask(server, path, "POST", {"add": [{"value": "acme", "tag": "a"}, {"value": "acme"}, {"value": "lang:en"}]})
    assert [rule["tag"] for rule in fake.rules] == ["a"]
    errors = told["errors"]
    assert isinstance(errors, list)
    assert [error["title"] for error in errors] == ["DuplicateRule", "UnprocessableEntity"]
    ask(server, path, "POST", {"delete": {"ids": [fake.rules[0]["id"]]}})
    assert fake.rules == []
    assert refusal(server, "/2/tweets/search/stream")[0] == 409


def test_numbers_tell_the_time():
    """As X's do."""
    assert moment_of(id_of(NOON)) == NOON


def test_a_reply_needs_a_summons(serve: Serve, fake: FakeX):
    """A mention in that very post, or a quote of ours."""
    server = serve(fake)
    plain, named = fake.add("acme"), fake.add(f"@{OUR_HANDLE}")
    for post, status in ((plain, 403), (named, 201)):
        body = {"text": f"hi {post.id}", "reply": {"in_reply_to_tweet_id": post.id}}
        assert requests.post(f"{server.url}/2/tweets", json=body, auth=sign(), timeout=5).status_code == status
