"""The last net: a token does not reach the log."""

from __future__ import annotations

import logging

import pytest

from bot.redaction import RedactingFormatter, redact

# built here so that no scanner takes them for real ones
BOT, APP = "xox" + "b-123-456-abcDEF", "xap" + "p-1-A02-3-f00d"


@pytest.mark.parametrize(
    "text",
    [
        f"token {BOT}",
        f"{{'token': '{APP}'}}",
        f"https://slack.example/?token={BOT}&x=1",
        f"Authorization: Bearer {BOT}",
        "Authorization: Bearer abcdef123456",
        "authorization: basic dXNlcjpwYXNz",
        "GET /private/feed.xml?format=rss&api_key=abcdef-123#x HTTP/1.1",
        "https://forum.example/feed?token=abcdef&page=2",
        "wss://wss.slack.example/link/?ticket=abcdef-123&app_id=1",
    ],
)
def test_secret_is_masked(text: str):
    """Slack tokens, socket tickets and Authorization values are masked wherever they stand."""
    masked = redact(text)
    assert "[secret]" in masked
    for secret in (BOT, APP, "abcdef", "dXNl"):
        assert secret not in masked


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/?keyboard=qwerty",
        "key=value",
        "xbox-360 and x-ray",
        "the bearer of news",
        "a basic plan",
        "Basic Information, App-Level Tokens",
        "boxoxy-1",
    ],
)
def test_plain_words_stay(text: str):
    """Ordinary words that look a little alike are left alone."""
    assert redact(text) == text


def test_log_line_is_one_line_without_secrets():
    """A message stays on one line, and neither it nor its traceback shows a token."""
    try:
        int(BOT)
    except ValueError as err:
        info = (type(err), err, err.__traceback__)
    record = logging.LogRecord("bot", logging.ERROR, __file__, 1, "first\nsecond %s", (APP,), info)
    line, _, traceback = RedactingFormatter("%(levelname)s %(message)s").format(record).partition("\n")
    assert line == "ERROR first\\nsecond [secret]"
    assert "Traceback" in traceback
    assert BOT not in traceback


def test_log_line_cannot_act_on_a_terminal():
    """What a stranger wrote moves no cursor and changes no colour where the log is read."""
    record = logging.LogRecord("bot", logging.WARNING, __file__, 1, "the post %s", ("\x1b[2J\x9bm\x07",), None)
    assert RedactingFormatter("%(message)s").format(record) == r"the post \x1b[2J\x9bm\x07"
