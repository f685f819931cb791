"""The stage takes replies as the replay platform posts them, and misbehaves when told to."""
# ruff: noqa: ANN401 - JSON and Bolt's injected arguments can be anything

from __future__ import annotations

from typing import Any

import pytest
import urllib3
from urllib3.exceptions import HTTPError

from bot.demo.rehearsal import Rehearsal

REPLY = {
    "in_reply_to": "x/1 ü",
    "platform": "x",
    "text": "On its way.",
    "send_key": "k1",
    "account": "@kettleandfern",
    "author": "mara",
}


def send(rehearsal: Rehearsal, **change: Any) -> urllib3.BaseHTTPResponse:
    """Post a reply as the replay platform does."""
    return urllib3.request("POST", rehearsal.stage_url, json=REPLY | change, retries=False, timeout=5)


def test_a_reply_is_stored_and_has_an_address(rehearsal: Rehearsal):
    """The answer holds an id and an address at which the post and the reply are shown."""
    rehearsal.add_posts([{"id": "x/1 ü", "text": "It leaks.", "author": {"handle": "mara", "name": "Mara"}}])
    answer = send(rehearsal).json()
    assert rehearsal.replies_on_stage()[0]["text"] == "On its way."
    assert answer["url"] == f"{rehearsal.url}/stage/x%2F1%20%C3%BC#{answer['id']}"
    post = urllib3.request("GET", f"{rehearsal.url}/page/posts/x%2F1%20%C3%BC", retries=False).json()
    assert (post["text"], post["replies"][0]["id"]) == ("It leaks.", answer["id"])
    page = urllib3.request("GET", answer["url"], retries=False)
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_thread_is_kept_in_its_order(rehearsal: Rehearsal):
    """A part names the reply it goes on from; one that goes on from nothing is refused."""
    first = send(rehearsal).json()
    assert send(rehearsal, text="And a card.", after=first["id"]).status == 200
    assert [reply["after"] for reply in rehearsal.replies_on_stage()] == ["", first["id"]]
    assert send(rehearsal, after="reply-nowhere").json() == {"error": "There is no such reply to go on from."}
    assert len(rehearsal.replies_on_stage()) == 2


def test_a_post_can_be_closed_to_programs(rehearsal: Rehearsal):
    """The refusal says where a person can answer."""
    rehearsal.misbehave_on_stage("only_people")
    answer = send(rehearsal)
    assert answer.status == 403
    assert answer.json()["by_hand_url"] == f"{rehearsal.url}/stage/x%2F1%20%C3%BC"


def test_a_reply_needs_words(rehearsal: Rehearsal):
    """Nothing is posted without text, and a sentence says so."""
    answer = send(rehearsal, text=" ")
    assert (answer.status, answer.json()) == (400, {"error": "A reply needs in_reply_to and text."})


@pytest.mark.parametrize(
    ("how", "status", "stored"),
    [("error_after", 500, 1), ("error_before", 503, 0), ("refuse", 403, 0), ("ratelimited", 429, 0)],
)
def test_planned_misbehaviour(rehearsal: Rehearsal, how: Any, status: int, stored: int):
    """Each kind of trouble, once."""
    rehearsal.misbehave_on_stage(how)
    assert send(rehearsal).status == status
    assert len(rehearsal.replies_on_stage()) == stored
    assert send(rehearsal).status == 200


@pytest.mark.parametrize(("how", "stored"), [("drop_after", 1), ("drop_before", 0)])
def test_a_dropped_reply_is_ambiguous(rehearsal: Rehearsal, how: Any, stored: int):
    """The connection is lost either way."""
    rehearsal.misbehave_on_stage(how)
    with pytest.raises(HTTPError):
        send(rehearsal)
    assert len(rehearsal.replies_on_stage()) == stored
