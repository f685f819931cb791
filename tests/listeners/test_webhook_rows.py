"""What a request to a webhook holds, and who signed it: both without any network."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from clocks import NOON
from fake_webhook import NOON_SECOND, SECRET, signed
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Removal
from listeners.webhook.rows import Defaults, Told, read_body
from listeners.webhook.signature import Verifier, headers_for, is_well_formed, sign

DEFAULTS = Defaults("main", "webhook", lambda: NOON)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
FIELDS = st.sampled_from(["id", "text", "platform", "removals", "author", "url", "created_at", "title"])


def read(told: object) -> Told:
    """Read a value as a body."""
    return read_body(told if isinstance(told, bytes) else json.dumps(told).encode(), DEFAULTS)


def ids(told: Told) -> list[str]:
    """The ids of what was kept."""
    return [mention.native_id for mention in told.mentions]


def test_one_row_a_list_and_lines_are_the_same():
    """A sender writes what is easiest."""
    row, other = {"id": 1, "text": "a"}, {"id": 2, "text": "b"}
    assert ids(read(row)) == ["1"]
    assert ids(read([row, other])) == ["1", "2"]
    lines = f"{json.dumps(row)}\n\n{json.dumps(other)}\r\n".encode()
    assert ids(read(lines)) == ["1", "2"]


def test_a_bad_line_is_told_by_its_number_in_the_body():
    """Blank lines are counted, as in a file."""
    told = read(b'{"id": 1, "text": "a"}\n\nnonsense\n{"id": 2, "text": "b"}\n')
    assert ids(told) == ["1", "2"]
    assert told.refused == [(3, "it is no JSON: Expecting value, column 1.")]


def test_an_object_over_several_lines_is_one_row():
    """Pretty JSON is JSON."""
    assert ids(read(json.dumps({"id": 1, "text": "a"}, indent=2).encode())) == ["1"]


@pytest.mark.parametrize("platform", [None, "", "  "])
def test_a_row_without_a_place_gets_the_default(platform: object):
    """And never the one of another platform."""
    (mention,) = read({"id": 1, "text": "a", "platform": platform}).mentions
    assert mention.platform == "webhook"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://forum.example/1", "https://forum.example/1"),
        ("http://forum.example/1", "http://forum.example/1"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("forum.example/1", ""),
    ],
)
def test_only_web_addresses_are_kept(url: str, kept: str):
    """A card opens no other."""
    (mention,) = read({"id": 1, "text": "a", "url": url}).mentions
    assert mention.url == kept


def test_half_a_character_is_kept_in_a_text():
    """As a platform wrote it."""
    (mention,) = read(b'{"id": 1, "text": "a \\ud83d"}').mentions
    assert mention.text == "a \ud83d"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "a"}, "it has no id."),
        ({"id": 1}, "it has no text."),
        ({"id": 1, "text": " "}, "it has no text."),
        ({"id": 1, "text": 5}, "text must be text."),
        ({"id": 1, "text": "a", "platform": 5}, "platform must be text."),
        (
            {"id": 1, "text": "a", "created_at": "soon"},
            "created_at must be a time such as 2026-11-23T10:00:00Z, or seconds since 1970.",
        ),
        ("text", "it is no JSON object."),
        (None, "it is no JSON object."),
        ([[]], "it is no JSON object."),
        ({"removals": 5}, "removals must be a list."),
        ({"removals": None}, "removals must be a list."),
        ({"removals": [5]}, "a removal names either the id of a post or an author."),
        ({"removals": [{}]}, "a removal names either the id of a post or an author."),
        ({"removals": [{"id": 0, "author": ""}, {"id": True}]}, "id must be text or a whole number."),
    ],
)
def test_what_is_no_row_is_refused_with_the_reason(row: object, reason: str):
    """In one sentence."""
    assert read([row] if not isinstance(row, list) else row).refused == [(1, reason)]


def test_removals_name_a_post_or_an_author():
    """On the place they say, or the default."""
    body = {"removals": [{"id": 17, "platform": " my  forum "}, {"author": "@jane"}]}
    assert read(body).removals == [
        Removal("my forum", NOON, native_id="17"),
        Removal("webhook", NOON, author="jane"),
    ]


def test_a_removal_finds_what_a_row_told():
    """Both write ids and places in the same way."""
    names: dict[str, object] = {"id": " 1  7 ", "platform": " my  forum "}
    (mention,) = read({**names, "text": "a", "author": "@jane  doe"}).mentions
    by_id, by_author = read({"removals": [names, {"platform": "my forum", "author": "@jane  doe"}]}).removals
    assert (by_id.platform, by_id.native_id) == (mention.platform, mention.native_id)
    assert (by_author.platform, by_author.author) == (mention.platform, mention.author.handle)


def test_a_text_about_removals_is_a_row():
    """A column that is not known is passed over."""
    assert ids(read({"id": 1, "text": "a", "removals": 5})) == ["1"]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_a_fault(body: bytes):
    """Whatever comes in, something is told of it."""
    told = read(body)
    assert told.refused or told.mentions or told.removals or body.strip() in {b"[]", b'{"removals":[]}'}


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON, max_size=5), max_size=5))
def test_any_json_is_read_without_a_fault(rows: list[object]):
    """Every item becomes a mention or removals, or is refused by its number."""
    told = read(json.dumps(rows).encode())
    assert {number for number, _reason in told.refused} <= set(range(1, len(rows) + 1))
    certain = [row for row in rows if not (isinstance(row, dict) and "removals" in row and "text" not in row)]
    others = [row for row in rows if row not in certain]
    assert others or len(told.mentions) + len(told.refused) == len(rows)


# --- signatures


def verifier(window: int = 300) -> Verifier:
    """Who believes in the tests' secret, at noon."""
    return Verifier((SECRET,), window, lambda: NOON)


def test_a_signature_is_what_the_manual_says():
    """Written down once by another hand: `printf 'v1:1795435200:{}' | openssl dgst -sha256 -hmac secret`."""
    expected = "315c708b6582b39072955dd218967eb8ade92383237201a6c67a7e86436a9f94"
    assert sign("secret", 1_795_435_200, b"{}") == f"v1={expected}"
    assert signed(b"{}", "secret", 1_795_435_200)["X-Cuecard-Signature"] == f"v1={expected}"


@given(st.binary(max_size=200), st.integers(-300, 300))
def test_what_we_sign_we_believe(body: bytes, seconds: int):
    """At any time inside the window."""
    headers = headers_for(SECRET, body, NOON + timedelta(seconds=seconds))
    assert not verifier().refusal(headers["X-Cuecard-Timestamp"], headers["X-Cuecard-Signature"], body)
    assert is_well_formed(headers["X-Cuecard-Signature"])


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(-300, 300))
def test_another_body_or_time_is_not_believed(body: bytes, other: bytes, seconds: int):
    """A signature is for one body at one second; moving a part of one into the other changes it, too."""
    signature = sign(SECRET, NOON_SECOND, body)
    is_same = (other, seconds) == (body, 0)
    assert bool(verifier().refusal(str(NOON_SECOND + seconds), signature, other)) is not is_same


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_headers_are_read_without_a_fault(timestamp: str, signature: str):
    """What is no signature is refused in a sentence."""
    assert verifier().refusal(timestamp, signature, b"").endswith(".")


def test_no_secret_is_printed():
    """Not with the verifier either."""
    assert SECRET not in repr(verifier())
