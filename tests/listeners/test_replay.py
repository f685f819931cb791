"""Replays: files through the same door, and replies to a stage."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from clocks import NOON, Hands
from servers import Answer, Script, Server, cut_short, half_close, redirect, say

from listeners import replay
from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable, SettingRefused, Unknown
from listeners.mention import Author, Batch, Mention

Serve = Callable[[Script], Server]
MENTION = Mention("twitter", "17", "acme", Author("jane"), NOON, feed="main", brand="Acme")


def write(file: Path, *rows: object) -> str:
    """Write rows as JSON lines; text as it is."""
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(file)


def numbered(first: int, last: int) -> list[dict[str, object]]:
    """Rows with ids and texts."""
    return [{"id": number, "text": f"acme {number}"} for number in range(first, last + 1)]


def ids(batches: list[Batch]) -> list[str]:
    """All ids, in order."""
    return [mention.native_id for batch in batches for mention in batch.mentions]


def test_files_are_played_one_after_the_other(tmp_path: Path, context: FeedContext):
    """Every row is kept, a bad line is told, and the feed ends."""
    one = write(tmp_path / "one.jsonl", {"id": 1, "text": "acme"}, "oops", {"id": 2, "text": "else"})
    two = write(tmp_path / "two.csv", "id,text", "3,acme jobs")
    batches = list(replay.open_platform({"path": one, "paths": [two]}, context).listen(None))
    assert ids(batches) == ["1", "2", "3"]
    assert [sentence for batch in batches for sentence in batch.refused] == [
        f"{one}, line 2: it is no JSON: Expecting value, column 1."
    ]
    assert [mention.watches for batch in batches for mention in batch.mentions] == [("acme",), (), ()]
    assert batches[0].mentions[0].brand == "Acme"


def test_every_cursor_resumes_right_behind_its_batch(tmp_path: Path, context: FeedContext):
    """Whatever batch was the last that was stored, the rest comes and nothing else."""
    one, two = write(tmp_path / "one.jsonl", *numbered(1, 300)), write(tmp_path / "two.jsonl", *numbered(301, 900))
    platform = replay.open_platform({"paths": [one, two]}, context)
    batches = list(platform.listen(None))
    assert ids(batches) == [str(number) for number in range(1, 901)]
    assert len(batches) > 3
    for stored in range(len(batches)):
        assert ids(list(platform.listen(batches[stored].cursor))) == ids(batches[stored + 1 :])


@pytest.mark.parametrize("cursor", ["", "5", "x:y", "-1:{one}", "5:other.jsonl", ":{one}", "5.5:{one}"])
def test_a_cursor_that_does_not_fit_starts_over(tmp_path: Path, context: FeedContext, cursor: str):
    """Repeats are harmless; a crash is not."""
    one = write(tmp_path / "one.jsonl", *numbered(1, 3))
    platform = replay.open_platform({"path": one}, context)
    assert ids(list(platform.listen(cursor.replace("{one}", one)))) == ["1", "2", "3"]


def test_a_paced_replay_waits_between_mentions(tmp_path: Path, context: FeedContext, hands: Hands):
    """One row at a time, with its pause."""
    one = write(tmp_path / "one.jsonl", *numbered(1, 4))
    batches = list(replay.open_platform({"path": one, "pace_seconds": 2.5}, context).listen(None))
    assert [len(batch.mentions) for batch in batches] == [1, 1, 1, 1]
    assert hands.paused == 10


def test_an_id_that_comes_again_is_told_again(tmp_path: Path, context: FeedContext):
    """It counts as an edit."""
    one = write(tmp_path / "one.jsonl", {"id": 1, "text": "first"}, {"id": 1, "text": "second"})
    (batch,) = replay.open_platform({"path": one}, context).listen(None)
    assert [mention.text for mention in batch.mentions] == ["first", "second"]


def test_a_file_that_vanished_is_permanent(tmp_path: Path, context: FeedContext):
    """The sentence names the file."""
    one = write(tmp_path / "one.jsonl", *numbered(1, 1))
    platform = replay.open_platform({"path": one}, context)
    Path(one).unlink()
    with pytest.raises(Permanent, match=r"one\.jsonl cannot be read: No such file"):
        list(platform.listen(None))


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({}, "path"),
        ({"path": "nowhere.jsonl"}, "path"),
        ({"paths": ["nowhere.jsonl"]}, "paths"),
        ({"path": "{one}", "paths": ["{one}"]}, "paths"),
        ({"path": "{one}", "pace_seconds": -1}, "pace_seconds"),
        ({"path": "{one}", "stage_url": "stage"}, "stage_url"),
        ({"path": "{one}", "limit": "short"}, "limit"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, context: FeedContext, told: dict[str, object], key: str):
    """With one sentence and the key."""
    one = write(tmp_path / "one.jsonl", *numbered(1, 1))
    settings = {name: json.loads(json.dumps(value).replace("{one}", one)) for name, value in told.items()}
    with pytest.raises(SettingRefused) as caught:
        replay.open_platform(settings, context)
    assert caught.value.key == key


def test_check_counts_rows(tmp_path: Path, context: FeedContext):
    """Bad lines are counted, and the first is shown."""
    one = write(tmp_path / "one.jsonl", *numbered(1, 3), "oops")
    (finding,) = replay.open_platform({"path": one}, context).check()
    assert not finding.is_good
    assert "3 rows, and 1 that cannot be read" in finding.sentence
    assert "line 4" in finding.remedy


@pytest.fixture
def open_stage(tmp_path: Path, context: FeedContext) -> Callable[..., replay.Replay]:
    """Open a replay, with or without a stage."""
    one = write(tmp_path / "one.jsonl", *numbered(1, 1))
    return lambda **told: replay.open_platform({"path": one, **told}, context)


@pytest.mark.parametrize(
    ("text", "count", "problem"),
    [
        ("  Thank you  ", 9, ""),
        ("e\u0301", 1, ""),
        ("👩‍👩‍👧🏳️‍🌈", 2, ""),
        ("a\r\nb", 3, ""),
        ("x" * 10, 10, ""),
        ("x" * 11, 11, "This is 1 characters too long: 11 of 10."),
        (" \n", 0, "There is no text to post."),
    ],
)
def test_characters_are_counted_as_people_see_them(
    open_stage: Callable[..., replay.Replay], text: str, count: int, problem: str
):
    """Composed and stripped first, against the limit."""
    shape = open_stage(limit=10).shape(text, MENTION)
    assert (shape.count, shape.limit, shape.problem) == (count, 10, problem)


def test_a_long_reply_can_be_a_thread_where_the_settings_say_so(open_stage: Callable[..., replay.Replay]):
    """Each part is within the limit; without the setting, or with nothing to cut, there are none."""
    text = "We are so sorry about this, Sam. A new kettle leaves today."
    shape = open_stage(limit=40, threads=True).shape(text, MENTION)
    assert shape.parts == ("We are so sorry about this, Sam.", "A new kettle leaves today.")
    assert "too long" in shape.problem
    assert open_stage(limit=40).shape(text, MENTION).parts == ()
    assert open_stage(limit=40, threads=True).shape("x" * 50, MENTION).parts == ()
    assert open_stage(limit=0, threads=True).shape(text, MENTION).parts == ()


def test_a_part_of_a_thread_names_the_one_before_it(open_stage: Callable[..., replay.Replay], serve: Serve):
    """The stage is told which of our replies the next part goes on from."""
    server = serve(lambda _request: say('{"id": "r7", "url": "https://stage.example/7"}'))
    platform = open_stage(stage_url=server.url, threads=True)
    first = platform.reply(MENTION, "one", "key-1")
    platform.reply(MENTION, "two", "key-2", after=first)
    bodies = [json.loads(request.body) for request in server.requests]
    assert [body.get("after") for body in bodies] == [None, "r7"]


def test_a_stage_for_people_only_says_where_to_answer(open_stage: Callable[..., replay.Replay], serve: Serve):
    """That programs may not answer there is told apart from any other refusal."""
    refusal = b'{"error": "People only.", "by_hand_url": "https://stage.example/write"}'
    server = serve(lambda _request: Answer(403, refusal))
    with pytest.raises(RefusedByRules, match="People only") as caught:
        open_stage(stage_url=server.url).reply(MENTION, "hello", "key")
    assert caught.value.url == "https://stage.example/write"


def test_without_a_stage_there_is_no_answer(open_stage: Callable[..., replay.Replay]):
    """The card says so before anyone writes."""
    platform = open_stage()
    assert platform.capability(MENTION).route == "none"
    with pytest.raises(Permanent):
        platform.reply(MENTION, "hello", "key")


def test_a_reply_goes_to_the_stage_once(open_stage: Callable[..., replay.Replay], serve: Serve):
    """With everything the stage needs to show it."""
    server = serve(lambda _request: say('{"id": 5, "url": "https://stage.example/5"}'))
    platform = open_stage(stage_url=server.url)
    assert platform.capability(MENTION).account == "@Acme"
    posted = platform.reply(MENTION, "hello \ud800", "key-1")
    assert (posted.native_id, posted.url) == ("5", "https://stage.example/5")
    (request,) = server.requests
    assert json.loads(request.body) == {
        "in_reply_to": "17",
        "platform": "twitter",
        "text": "hello \ud800",
        "send_key": "key-1",
        "account": "@Acme",
        "author": "jane",
    }


def test_the_account_is_the_settings_then_the_rows_then_the_brands(open_stage: Callable[..., replay.Replay]):
    """The most definite one wins."""
    url = "http://127.0.0.1:9/"
    summoned = replace(MENTION, account="@acme_uk")
    assert open_stage(stage_url=url, account="@help").capability(summoned).account == "@help"
    assert open_stage(stage_url=url).capability(summoned).account == "@acme_uk"
    assert open_stage(stage_url=url).capability(replace(MENTION, brand="")).account == ""


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(403, b'{"error": "Closed by its author."}'), Permanent, "Closed by its author."),
        (Answer(429, b"", {"Retry-After": "9"}), RateLimited, "slow down"),
        (
            Answer(429, b"", {"Retry-After": format_datetime(NOON + timedelta(seconds=9), usegmt=True)}),
            RateLimited,
            "slow",
        ),
        (Answer(403, b"<html>"), Unknown, "did not confirm"),
        (Answer(500, b'{"error": "oops"}'), Unknown, "did not confirm"),
        (Answer(200, b"{}"), Unknown, "did not confirm"),
        (Answer(200, b'{"id": ""}'), Unknown, "did not confirm"),
        (Answer(200, b"[1]"), Unknown, "did not confirm"),
        (Answer(200, b'{"id": 5'), Unknown, "did not confirm"),
        (Answer(200, b"\xff"), Unknown, "did not confirm"),
        (redirect("/elsewhere", 307), Unknown, "did not confirm"),
        (cut_short(), Unknown, "broke off"),
        (half_close(), Unknown, "broke off"),
    ],
)
def test_what_the_stage_says_is_told_as_what_to_do(
    open_stage: Callable[..., replay.Replay], serve: Serve, answer: Answer, kind: type[ListenerError], words: str
):
    """Only what is certain is told as certain; nothing is ever posted twice."""
    server = serve(lambda _request: answer)
    with pytest.raises(kind, match=words) as caught:
        open_stage(stage_url=server.url).reply(MENTION, "hello", "key")
    assert type(caught.value) is kind
    assert len(server.requests) == 1
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 9


def test_a_stage_that_is_not_there_has_posted_nothing(open_stage: Callable[..., replay.Replay]):
    """A refused connection may be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    with pytest.raises(Retryable, match="nothing was posted"):
        open_stage(stage_url=url).reply(MENTION, "hello", "key")


def test_a_stage_that_is_too_slow_is_unknown(
    open_stage: Callable[..., replay.Replay], serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    """A time-out after the words went out says nothing about whether they are there."""
    monkeypatch.setattr(replay, "_STAGE_SECONDS", 0.2)
    server = serve(lambda _request: Answer(raw=lambda _connection: time.sleep(1)))
    with pytest.raises(Unknown, match="broke off"):
        open_stage(stage_url=server.url).reply(MENTION, "hello", "key")
    assert len(server.requests) == 1
