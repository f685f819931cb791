"""The webhook: signed requests in, kept before they are confirmed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError

import pytest
from clocks import NOON
from fake_webhook import (
    NOON_SECOND,
    SECRET,
    Heard,
    Listening,
    PatientSender,
    PortTaker,
    Sender,
    free_port,
    signed,
    wait_until,
)

from listeners import webhook
from listeners.contract import FeedContext
from listeners.errors import Permanent, Retryable, SettingRefused
from listeners.mention import Author, Batch, Mention, Removal
from listeners.query import Watch, compile_watches
from listeners.webhook import reception as webhook_reception

OLD_SECRET = "the-former-secret-of-the-tests-987654321"
ROW = {"id": "17", "text": "acme is down", "author": "jane", "url": "https://forum.example/17"}


@pytest.fixture
def told(context: FeedContext) -> FeedContext:
    """A feed that knows both secrets."""
    return replace(context, secrets={"WEBHOOK_SECRET": SECRET, "WEBHOOK_SECRET_OLD": OLD_SECRET})


Open = Callable[..., tuple[Listening, Sender]]


@pytest.fixture
def open_door(told: FeedContext) -> Iterator[Open]:
    """Open webhooks, each with someone who listens and a sender for it."""
    with ExitStack() as stack:

        def build(*, stores: bool = True, **settings: object) -> tuple[Listening, Sender]:
            port = free_port()
            platform = webhook.open_platform({"port": port, **settings}, told)
            return stack.enter_context(Listening(platform, stores=stores)), Sender(port)

        yield build


def test_a_row_is_kept_and_confirmed(open_door: Open):
    """Every column arrives, the watch tags it, and the sender is told."""
    listening, sender = open_door()
    told = {
        **ROW,
        "created_at": NOON_SECOND - 60,
        "thread_id": 3,
        "in_reply_to": 5,
        "account": "@acme",
        "title": "Help",
    }
    answer = sender.send({**told, "platform": "trustpilot"})
    assert (answer.status, answer.told) == (202, {"kept": 1, "removed": 0, "passed_over": 0, "refused": []})
    assert listening.mentions == [
        Mention(
            platform="trustpilot",
            native_id="17",
            text="acme is down",
            author=Author("jane"),
            created_at=datetime.fromtimestamp(NOON_SECOND - 60, UTC),
            feed="main",
            url="https://forum.example/17",
            title="Help",
            brand="Acme",
            watches=("acme",),
            thread_id="3",
            in_reply_to="5",
            account="@acme",
        )
    ]


def test_nothing_is_confirmed_before_it_is_stored(open_door: Open):
    """The answer waits for the store's own word, and comes at once then."""
    listening, sender = open_door(stores=False)
    answers: list[Heard] = []
    thread = threading.Thread(target=lambda: answers.append(sender.send(ROW)))
    thread.start()
    wait_until(lambda: len(listening.batches) == 2)
    time.sleep(0.05)
    assert answers == []
    stored = listening.batches[1].stored
    assert stored is not None
    stored()
    thread.join(5)
    assert [answer.status for answer in answers] == [202]


def test_what_is_not_stored_in_time_is_to_be_sent_again(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """503 with a time to wait; the same request is then heard again and confirmed."""
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 0.1)
    listening, sender = open_door(stores=False)
    answer = sender.send(ROW)
    assert (answer.status, answer.headers["retry-after"]) == (503, "15")
    assert "Send the same again" in str(answer.told["error"])
    listening.stores = True
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 20)
    assert sender.send(ROW).status == 202
    assert [mention.native_id for mention in listening.mentions] == ["17", "17"]


def test_a_word_that_comes_too_late_harms_nobody(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """The store may speak after the sender was sent away, and after the door was closed: it must not raise."""
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 0.05)
    listening, sender = open_door(stores=False)
    assert sender.send(ROW).status == 503
    wait_until(lambda: len(listening.batches) == 2)
    stored = listening.batches[1].stored
    assert stored is not None
    stored()
    stored()
    listening.__exit__(None, None, None)
    stored()


def test_many_rows_are_confirmed_when_the_last_is_stored(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """A long request comes in several batches, and one that is missing leaves it unconfirmed."""
    monkeypatch.setattr(webhook_reception, "PER_BATCH", 10)
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 0.3)
    listening, sender = open_door(stores=False)
    rows = [{"id": number, "text": "acme"} for number in range(25)]
    assert sender.send(rows).status == 503
    wait_until(lambda: len(listening.batches) == 4)
    assert [len(batch.mentions) for batch in listening.batches[1:]] == [10, 10, 5]
    listening.stores = True
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 20)
    answer = sender.send(rows)
    assert (answer.status, answer.told["kept"]) == (202, 25)


def test_more_rows_than_the_queue_holds_get_through(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """A request waits for room in the queue instead of failing for ever."""
    monkeypatch.setattr(webhook_reception, "PER_BATCH", 2)
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 20)
    monkeypatch.setattr(webhook, "_QUEUED", 3)
    listening, sender = open_door()
    answer = sender.send([{"id": number, "text": "acme"} for number in range(60)])
    assert (answer.status, len(listening.mentions)) == (202, 60)


def test_a_repeated_request_is_answered_and_not_heard_again(open_door: Open):
    """One whose answer was lost is confirmed; one that somebody recorded cannot bring old words back."""
    listening, sender = open_door()
    first = json.dumps(ROW).encode()
    second = json.dumps({**ROW, "text": "acme is up"}).encode()
    for body in (first, second, first):
        assert sender.send(body).status == 202
    assert [mention.text for mention in listening.mentions] == ["acme is down", "acme is up"]


def test_bad_rows_are_told_by_number_and_good_ones_are_kept(open_door: Open):
    """The sender hears which and why; the operator does, too."""
    listening, sender = open_door()
    answer = sender.send([ROW, {"text": "no id"}, {**ROW, "id": 18}, 7])
    refused = [{"row": 2, "reason": "it has no id."}, {"row": 4, "reason": "it is no JSON object."}]
    assert answer.status == 202
    assert (answer.told["kept"], answer.told["refused"]) == (2, refused)
    assert [mention.native_id for mention in listening.mentions] == ["17", "18"]
    assert listening.batches[-1].refused == (
        "The webhook 'main' was sent a row that is no mention (row 2): it has no id.",
        "The webhook 'main' was sent a row that is no mention (row 4): it is no JSON object.",
    )


def test_a_request_without_one_good_row_is_refused(open_door: Open):
    """422, so that it is not sent again as it is."""
    listening, sender = open_door()
    answer = sender.send([{"id": 1}, {"text": "x"}])
    assert answer.status == 422
    assert answer.told["error"] == "Nothing here can be read: it has no text."
    wait_until(lambda: bool(listening.batches[-1].refused))
    assert not listening.mentions


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": 1', b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(open_door: Open, body: bytes):
    """Whatever it is, it is told in JSON and without a traceback."""
    _listening, sender = open_door()
    answer = sender.send(body)
    assert answer.status == 422
    assert b"Traceback" not in answer.body
    assert len(answer.told["refused"]) == 1  # type: ignore[arg-type]


def test_refusals_without_end_are_told_in_short(open_door: Open):
    """A file of something else does not come back as a longer one."""
    listening, sender = open_door()
    answer = sender.send([1] * 1_000)
    assert (answer.status, answer.told["refused_in_all"]) == (422, 1_000)
    assert len(answer.body) < 10_000
    wait_until(lambda: bool(listening.batches[-1].refused))
    assert len(listening.batches[-1].refused) == 101
    assert "900 more rows" in listening.batches[-1].refused[-1]


def test_removals_take_posts_away(open_door: Open):
    """By number or by author, beside rows."""
    listening, sender = open_door()
    removals = [{"platform": "forum", "id": 17}, {"author": "@jane"}, {"id": "1", "author": "jane"}]
    answer = sender.send([ROW, {"removals": removals}])
    assert (answer.status, answer.told["removed"]) == (202, 2)
    assert answer.told["refused"] == [{"row": 2, "reason": "a removal names either the id of a post or an author."}]
    assert listening.batches[-1].removals == (
        Removal("forum", NOON, native_id="17"),
        Removal("webhook", NOON, author="jane"),
    )


def test_removals_alone_wait_for_the_store_too(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """A removal that was lost would leave words here that their author took back."""
    monkeypatch.setattr(webhook_reception, "STORE_SECONDS", 0.05)
    _listening, sender = open_door(stores=False)
    assert sender.send({"removals": [{"id": "17"}]}).status == 503


def test_rows_that_match_no_watch_are_kept(open_door: Open):
    """What was confirmed is not dropped in silence."""
    listening, sender = open_door()
    answer = sender.send([{**ROW, "text": "nothing to do with you"}])
    assert answer.told["kept"] == 1
    assert [(mention.watches, mention.brand) for mention in listening.mentions] == [((), "")]


def test_with_match_only_what_matches_is_kept(open_door: Open):
    """And the sender is told how many were passed over; not one of them is worth waiting for."""
    listening, sender = open_door(match=True)
    answer = sender.send([ROW, {**ROW, "id": 18, "text": "acme jobs"}])
    assert (answer.told["kept"], answer.told["passed_over"]) == (1, 1)
    assert sender.send({**ROW, "text": "else"}).status == 202
    assert [mention.native_id for mention in listening.mentions] == ["17"]


def test_a_row_keeps_its_own_brand(open_door: Open):
    """A watch names one only where the row does not."""
    listening, sender = open_door()
    sender.send([{**ROW, "brand": "Globex"}])
    assert [(mention.brand, mention.watches) for mention in listening.mentions] == [("Globex", ("acme",))]


def test_defaults_are_settings(open_door: Open):
    """Path, place and window are the operator's to choose."""
    listening, sender = open_door(path="/in/reviews", default_platform="Reviews", window_seconds=10)
    sender.path = "/in/reviews"
    body = json.dumps(ROW).encode()
    assert sender.ask("POST", body, signed(body, second=NOON_SECOND - 11)).status == 401
    assert sender.ask("POST", body, signed(body, second=NOON_SECOND - 10)).status == 202
    assert [mention.platform for mention in listening.mentions] == ["Reviews"]


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_both_secrets_are_believed(open_door: Open, secret: str):
    """Senders change over one by one."""
    _listening, sender = open_door()
    sender.secret = secret
    assert sender.send(ROW).status == 202


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_request_is_believed_within_the_window(open_door: Open, seconds: int):
    """Clocks differ, either way."""
    _listening, sender = open_door()
    body = json.dumps(ROW).encode()
    assert sender.ask("POST", body, signed(body, second=NOON_SECOND + seconds)).status == 202


BODY = json.dumps(ROW).encode()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "is not signed"),
        ({"X-Cuecard-Signature": signed(BODY)["X-Cuecard-Signature"]}, "is not signed"),
        ({**signed(BODY), "X-Cuecard-Timestamp": "now"}, "is not signed"),
        ({**signed(BODY), "X-Cuecard-Timestamp": "9" * 40}, "is not signed"),
        ({"X-Cuecard-Timestamp": str(NOON_SECOND)}, "made just now; 300 seconds"),
        ({**signed(BODY), "X-Cuecard-Signature": "v1="}, "made just now"),
        ({**signed(BODY), "X-Cuecard-Signature": signed(BODY)["X-Cuecard-Signature"].upper()}, "made just now"),
        ({**signed(BODY), "X-Cuecard-Signature": "\xff\xfe"}, "made just now"),
        (signed(BODY, "another secret of the same length 000"), "made just now"),
        (signed(BODY + b" "), "made just now"),
        (signed(BODY, second=NOON_SECOND - 301), "made 301 seconds ago; 300 seconds are allowed either way"),
        (signed(BODY, second=NOON_SECOND + 301), "made 301 seconds from now"),
        (signed(BODY, "another secret of the same length 000", NOON_SECOND - 301), "made 301 seconds ago"),
        ({**signed(BODY), "X-Cuecard-Timestamp": str(NOON_SECOND - 301)}, "made 301 seconds ago"),
    ],
)
def test_a_request_that_cannot_be_believed_is_refused(open_door: Open, headers: dict[str, str], words: str):
    """The sentence tells of the sender's clock, and never which of signature and time was right."""
    listening, sender = open_door()
    answer = sender.ask("POST", BODY, headers)
    assert answer.status == 401
    assert words in str(answer.told["error"])
    assert not listening.mentions


def test_a_right_and_a_wrong_signature_out_of_time_are_told_alike(open_door: Open):
    """Nobody learns by an old request whether its signature was right."""
    _listening, sender = open_door()
    late = NOON_SECOND - 1_000
    right = sender.ask("POST", BODY, signed(BODY, second=late))
    wrong = sender.ask("POST", BODY, signed(BODY, "x" * 40, second=late))
    assert (right.status, right.body) == (wrong.status, wrong.body)


def test_a_sender_with_another_secret_is_told_to_the_operator_once(open_door: Open):
    """Its rows are missing; a stranger who signs nothing is no news."""
    listening, sender = open_door()
    sender.ask("POST", BODY)
    sender.secret = "another secret of the same length 000"
    sender.send(ROW)
    sender.send(ROW)
    wait_until(lambda: len(listening.batches) == 2)
    sender.secret = SECRET
    sender.send(ROW)
    notices = [notice for batch in listening.batches for notice in batch.notices]
    assert len(notices) == 1
    assert "compare the sender's secret and clock" in notices[0]


def test_an_empty_list_is_confirmed_and_heard_by_nobody(open_door: Open):
    """A sender can try its signature with it."""
    listening, sender = open_door(stores=False)
    answer = sender.send([])
    assert (answer.status, answer.told["kept"], len(listening.batches)) == (202, 0, 1)


def test_signs_of_life_come_by_themselves(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """Nobody sends anything, and it is still said that the door is open."""
    monkeypatch.setattr(webhook, "_SIGN_OF_LIFE", 0.01)
    monkeypatch.setattr(webhook, "_LOOK", 0.01)
    listening, _sender = open_door()
    wait_until(lambda: len(listening.batches) > 3)
    assert set(listening.batches) == {Batch(cursor="sent")}


def test_a_sender_loses_nothing_when_the_listener_ends_and_comes_back(told: FeedContext):
    """What was on its way at the end is refused at once, sent again, and stored once there is a store."""
    port = free_port()
    platform = webhook.open_platform({"port": port}, told)
    with Listening(platform, stores=False) as first:
        sender = PatientSender(port)
        sender.add({"id": 1, "text": "acme one"})
        wait_until(lambda: bool(first.mentions))
    again = webhook.open_platform({"port": port}, told)
    with Listening(again) as second:
        wait_until(lambda: not sender.rows)
        sender.close()
    assert {mention.native_id for mention in second.mentions} == {"1"}
    assert sender.statuses[-1] == 202
    assert set(sender.statuses[:-1]) <= {503}


def test_a_port_that_another_program_has_is_told_and_tried_again(told: FeedContext):
    """It may be free in a minute, when the former process has ended."""
    port = free_port()
    with PortTaker(port), pytest.raises(Retryable, match=f"cannot listen on port {port} of 127.0.0.1: address already"):
        next(webhook.open_platform({"port": port}, told).listen(None))
    batches = webhook.open_platform({"port": port}, told).listen(None)
    assert next(batches) == Batch(cursor="sent")
    batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"])
def test_a_host_that_is_not_this_machine_is_told(told: FeedContext, host: str):
    """With the address in the sentence."""
    platform = webhook.open_platform({"port": free_port(), "host": host}, told)
    with pytest.raises(Retryable, match="cannot listen on port"):
        next(platform.listen(None))


def test_closing_frees_the_port_at_once(told: FeedContext):
    """Also where the listener is held in the middle of a batch."""
    port = free_port()
    platform = webhook.open_platform({"port": port}, told)
    batches = platform.listen(None)
    next(batches)
    platform.close()
    with PortTaker(port):
        assert list(batches) == []


def test_a_server_that_breaks_down_is_told(told: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """The feed must not take silence for peace."""
    port = free_port()
    batches = webhook.open_platform({"port": port}, told).listen(None)
    monkeypatch.setattr("uvicorn.Server.serve", lambda _server, **_told: 1 / 0)
    next(batches)
    with pytest.raises(Retryable, match="ended by itself"):
        list(batches)


def test_it_listens_on_ipv6_as_well(told: FeedContext):
    """An address is an address."""
    platform = webhook.open_platform({"port": free_port(), "host": "::1"}, told)
    with Listening(platform):
        (finding,) = platform.check()
        assert finding.is_good, finding
        assert "[::1]" in finding.sentence


def test_check_says_whether_the_port_is_free_or_ours(told: FeedContext):
    """A running Cuecard is no other program, whichever address it listens on."""
    for host in ("127.0.0.1", "0.0.0.0"):
        settings = {"port": free_port(), "host": host}
        platform = webhook.open_platform(settings, told)
        (free,) = platform.check()
        assert free.is_good
        assert ("proxy" in free.sentence) is (host == "0.0.0.0")
        with Listening(webhook.open_platform(settings, told)):
            (ours,) = platform.check()
            assert ours.is_good
            assert "listens at" in ours.sentence


def test_check_tells_another_program_from_ours(told: FeedContext):
    """Also another Cuecard with another secret."""
    settings = {"port": free_port()}
    platform = webhook.open_platform(settings, told)
    with PortTaker(settings["port"]):
        (taken,) = platform.check()
    assert not taken.is_good
    other = replace(told, secrets={"WEBHOOK_SECRET": "x" * 32})
    with Listening(webhook.open_platform(settings, other)):
        (theirs,) = platform.check()
    assert not theirs.is_good


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"port": 0}, "port"),
        ({"port": 70_000}, "port"),
        ({"host": ""}, "host"),
        ({"path": "mentions"}, "path"),
        ({"path": "/a?b"}, "path"),
        ({"path": "/a b"}, "path"),
        ({"window_seconds": 0}, "window_seconds"),
        ({"max_bytes": 5}, "max_bytes"),
        ({"default_platform": " "}, "default_platform"),
        ({"env_prefix": "SLACK_BOT"}, "env_prefix"),
        ({"callback_url": "forum.example/replies"}, "callback_url"),
        ({"callback_url": "http://forum.example/replies"}, "callback_url"),
        ({"callback_url": "http://forum.example/replies", "allow_hosts": ["forum.example:81"]}, "callback_url"),
        ({"callback_url": "https://me:word@forum.example/"}, "callback_url"),
        ({"callback_timeout": 0}, "callback_timeout"),
        ({"limit": -1}, "limit"),
    ],
)
def test_settings_that_cannot_work_are_refused(told: FeedContext, settings: dict[str, object], key: str):
    """With one sentence and the key."""
    with pytest.raises(SettingRefused) as caught:
        webhook.open_platform(settings, told)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "settings",
    [
        {"callback_url": "https://forum.example/replies"},
        {"callback_url": "http://127.0.0.1:9000/replies"},
        {"callback_url": "http://[::1]:9000/replies"},
        {"callback_url": "http://localhost/replies"},
        {"callback_url": "http://intranet:8080/replies", "allow_hosts": ["intranet:8080"]},
        {"callback_url": "http://intranet:8080/replies", "allow_hosts": ["Intranet"]},
    ],
)
def test_a_callback_is_safe_or_allowed(told: FeedContext, settings: dict[str, object]):
    """By https, on this machine, or where the operator says so."""
    webhook.open_platform(settings, told).close()


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        ({}, "WEBHOOK_SECRET is not set"),
        ({"WEBHOOK_SECRET": " "}, "WEBHOOK_SECRET is not set"),
        ({"WEBHOOK_SECRET": "short-and-secret"}, "WEBHOOK_SECRET is too short"),
        ({"WEBHOOK_SECRET": SECRET, "WEBHOOK_SECRET_OLD": "short-and-secret"}, "WEBHOOK_SECRET_OLD is too short"),
    ],
)
def test_without_a_safe_secret_nothing_opens(context: FeedContext, secrets: dict[str, str], words: str):
    """The sentence names the variable, and never what it holds."""
    with pytest.raises(SettingRefused) as caught:
        webhook.open_platform({}, replace(context, secrets=secrets))
    assert words in str(caught.value)
    assert "short-and-secret" not in str(caught.value)


def test_each_webhook_has_variables_of_its_own(context: FeedContext):
    """Two senders need not share a secret."""
    secrets = {"REVIEWS_SECRET": SECRET}
    webhook.open_platform({"env_prefix": "REVIEWS"}, replace(context, secrets=secrets)).close()


def test_nothing_that_is_printed_holds_the_secret(told: FeedContext, caplog: pytest.LogCaptureFixture):
    """Not the platform, nor its findings, nor the log of a request."""
    caplog.set_level("DEBUG")
    settings = {"port": free_port(), "callback_url": "http://127.0.0.1:9/"}
    platform = webhook.open_platform(settings, told)
    findings = platform.check()
    with Listening(platform) as listening:
        Sender(int(str(settings["port"]))).send(ROW)
    printed = f"{platform!r} {findings!r} {listening.batches!r} {caplog.text}"
    for secret in (SECRET, OLD_SECRET):
        assert secret not in printed


def test_a_watch_without_words_is_no_matter(told: FeedContext):
    """Nothing is asked, so everything can be."""
    watches = compile_watches([Watch("odd", "", "🫖 OR from:jane")])
    with Listening(webhook.open_platform({"port": free_port()}, replace(told, watches=watches))) as listening:
        assert listening.batches == [Batch(cursor="sent")]
    assert webhook.compile_query(watches.queries[0][1]).asks == ()


# --- the manual


def page_blocks(project: Path, language: str) -> list[str]:
    """The code blocks of the manual's page."""
    page = (project / "docs/platforms.md").read_text().partition("## Webhook\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_manuals_python_sends(project: Path, told: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """Whoever copies it is heard; and with another secret, is told why not."""
    names: dict[str, object] = {}
    exec(compile(page_blocks(project, "python")[0], "manual", "exec"), names)  # noqa: S102
    send = names["send"]
    assert callable(send)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    port = free_port()
    platform = webhook.open_platform({"port": port}, replace(told, now=lambda: datetime.now(UTC)))
    with Listening(platform) as listening:
        assert send([ROW], f"http://127.0.0.1:{port}/mentions")["kept"] == 1
        monkeypatch.setenv("WEBHOOK_SECRET", "x" * 32)
        with pytest.raises(HTTPError) as caught:
            send([ROW], f"http://127.0.0.1:{port}/mentions")
        assert b"is not accepted" in caught.value.read()
        caught.value.close()
    assert [mention.native_id for mention in listening.mentions] == ["17"]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl or openssl is not here")
def test_the_manuals_shell_sends(project: Path, told: FeedContext):
    """The lines for a terminal work as they are, but for the port."""
    (script,) = page_blocks(project, "bash")
    port = free_port()
    platform = webhook.open_platform({"port": port}, replace(told, now=lambda: datetime.now(UTC)))
    with Listening(platform) as listening:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("8760", str(port))],
            env={**os.environ, "WEBHOOK_SECRET": SECRET},
            capture_output=True,
            timeout=60,
            check=True,
        )
    assert json.loads(ran.stdout)["kept"] == 1
    assert listening.mentions[0].text == "Where is my order?"


def test_the_manuals_receiver_knows_us(project: Path):
    """The check that the manual gives receivers fits what is sent to them, and refuses all else."""
    names: dict[str, object] = {}
    exec(compile(page_blocks(project, "python")[1], "manual", "exec"), names)  # noqa: S102
    is_from_cuecard = names["is_from_cuecard"]
    assert callable(is_from_cuecard)
    from listeners.webhook.signature import headers_for  # noqa: PLC0415

    now = datetime.now(UTC)
    assert is_from_cuecard(headers_for(SECRET, b"{}", now), b"{}", SECRET)
    assert not is_from_cuecard(headers_for(SECRET, b"{}", now), b"[]", SECRET)
    assert not is_from_cuecard(headers_for(OLD_SECRET, b"{}", now), b"{}", SECRET)
    assert not is_from_cuecard(headers_for(SECRET, b"{}", NOON.replace(year=2020)), b"{}", SECRET)


def test_an_answer_is_by_hand_where_no_callback_is_set(told: FeedContext):
    """At the row's address; without one there is no way."""
    platform = webhook.open_platform({}, told)
    mention = Mention("webhook", "17", "acme", Author("jane"), NOON, url="https://forum.example/17")
    capability = platform.capability(mention)
    assert (capability.route, capability.url) == ("by_hand", "https://forum.example/17")
    assert platform.capability(replace(mention, url="")).route == "none"
    with pytest.raises(Permanent, match="by hand"):
        platform.reply(mention, "hello", "key")
