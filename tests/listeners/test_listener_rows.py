"""Reading rows of JSON lines and CSV: every good line is read, every bad one is named."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Author, Mention
from listeners.rows import MAX_LINE, Refusal, number_rows, read_lines, read_rows

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def read(*lines: bytes | str | dict[str, object], place: str = "x.jsonl") -> list[Mention | Refusal]:
    """Read lines as a file."""
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    data = [text.encode() if isinstance(text, str) else text for text in texts]
    return list(read_rows(data, place, feed="f", now=lambda: NOW))


def mention(row: dict[str, object]) -> Mention:
    """Read one good row."""
    (found,) = read({"id": "1", "text": "acme", **row})
    assert isinstance(found, Mention), found
    return found


def refusal(line: bytes | str | dict[str, object]) -> str:
    """Read one bad line; return the reason."""
    (found,) = read(line)
    assert isinstance(found, Refusal), found
    return found.reason


def test_only_id_and_text_are_needed():
    """Everything else has a sensible value."""
    assert mention({}) == Mention("replay", "1", "acme", Author(""), NOW, feed="f")


def test_every_column_is_read():
    """All names of the manual page end up in the mention."""
    row: dict[str, object] = {
        "platform": "twitter",
        "brand": "Acme",
        "author": {"handle": "@jane", "name": "Jane", "followers": 7, "unknown": []},
        "created_at": "2026-11-23T10:00:00+01:00",
        "in_reply_to": 5,
        "thread_id": "4",
        "parent_text": "before",
        "url": "https://x.example/1",
        "title": "T",
        "language": "en",
        "account": "@acme",
        "unknown": {"passed": "over"},
    }
    assert mention(row) == Mention(
        "twitter",
        "1",
        "acme",
        Author("jane", "Jane", 7),
        datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        feed="f",
        url="https://x.example/1",
        title="T",
        brand="Acme",
        language="en",
        thread_id="4",
        in_reply_to="5",
        parent_text="before",
        account="@acme",
    )


@pytest.mark.parametrize("told", ["@jane", {"handle": "jane"}, {"handle": "@jane", "followers": None}])
def test_an_author_is_a_handle_or_an_object(told: object):
    """Both spellings are common."""
    assert mention({"author": told}).author == Author("jane")


@pytest.mark.parametrize(
    ("told", "when"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.5+02:00", datetime(2026, 11, 23, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23 10:00:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1_700_000_000.25, datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (None, NOW),
        ("", NOW),
    ],
)
def test_times_are_read(told: object, when: datetime):
    """ISO 8601 with or without a zone, or seconds."""
    assert mention({"created_at": told}).created_at == when


@pytest.mark.parametrize(
    "told", ["yesterday", "Tue Feb 24 11:35:52 -0800 2015", 1e300, 10**400, -5, 10**13, True, [], {}, "0001-01-01"]
)
def test_times_that_are_none_are_refused(told: object):
    """The sentence shows how to write one, or the range."""
    assert refusal({"id": 1, "text": "acme", "created_at": told}).startswith("created_at ")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not json", "no JSON"),
        (b'{"id": 1, "text": "acme"', "no JSON"),
        (b"[1, 2]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b"null", "no JSON object"),
        (b'{"id": 1, "text": NaN}', "NaN"),
        (b'{"id": 1, "text": "a", "x": Infinity}', "Infinity"),
        (b'{"id": 1, "text": "\xff"}', "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "deep"),
        ({"text": "acme"}, "no id"),
        ({"id": "", "text": "acme"}, "no id"),
        ({"id": None, "text": "acme"}, "no id"),
        ({"id": True, "text": "acme"}, "id must be"),
        ({"id": 1.5, "text": "acme"}, "id must be"),
        ({"id": "\ud800", "text": "acme"}, "half a character"),
        ({"id": 1}, "no text"),
        ({"id": 1, "text": "  \n"}, "no text"),
        ({"id": 1, "text": 5}, "text must be text"),
        ({"id": 1, "text": "a", "brand": ["x"]}, "brand must be text"),
        ({"id": 1, "text": "a", "author": 5}, "author must be"),
        ({"id": 1, "text": "a", "author": {"followers": "many"}}, "followers"),
        ({"id": 1, "text": "a", "author": {"followers": -1}}, "followers"),
        (b'{"id": ' + b"9" * 5_000 + b', "text": "a"}', "integer"),
    ],
)
def test_a_bad_line_is_refused_with_the_reason(line: bytes | dict[str, object], words: str):
    """One sentence, and no exception."""
    reason = refusal(line)
    assert words in reason
    assert reason.endswith(".")


def test_bad_lines_are_named_and_good_ones_read():
    """Numbers count from 1 and count blank lines too."""
    found = read({"id": 1, "text": "a"}, b"", b"  \n", b"oops", {"id": 2, "text": "b"})
    assert [row.native_id if isinstance(row, Mention) else row.sentence for row in found] == [
        "1",
        "x.jsonl, line 4: it is no JSON: Expecting value, column 1.",
        "2",
    ]


@pytest.mark.parametrize(
    "text", ["a\0b", "half \ud83d a pair", "x" * 100_000, "\u202eacme", "<!channel> <@U1>", "e\u0301\r\n"]
)
def test_text_is_kept_whole(text: str):
    """Whatever the text holds, every character arrives."""
    assert mention({"text": text}).text == text


def test_names_are_kept_in_whole_characters():
    """Titles and names go into columns that take no halves of characters, on one line."""
    found = mention({"title": "a\ud800b\nc", "author": {"handle": "j\ud800", "name": "J\ud800"}})
    assert (found.title, found.author) == ("a\ufffdb c", Author("j\ufffd", "J\ufffd"))


def test_a_byte_order_mark_is_passed_over():
    """Files from Windows begin with one."""
    (found,) = read(b'\xef\xbb\xbf{"id": 1, "text": "a"}')
    assert isinstance(found, Mention)


def test_a_huge_line_is_refused_without_being_held(tmp_path: Path):
    """A line without an end does not fill the memory; the next line is read."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'{"id": 1, "text": "' + b"a" * (2 * MAX_LINE) + b'"}\n{"id": 2, "text": "b"}\n')
    with file.open("rb") as stream:
        lines = list(read_lines(stream))
    assert len(lines[0]) == MAX_LINE + 1
    first, second = read(*lines)
    assert isinstance(first, Refusal)
    assert "longer than" in first.reason
    assert isinstance(second, Mention)


def test_reading_goes_on_after_a_line():
    """Lines that were read before are passed over, and the numbers stay."""
    lines = [json.dumps({"id": number, "text": "a"}).encode() for number in range(1, 6)]
    assert [number for number, _row in number_rows(lines, "x", after=3)] == [4, 5]


CSV = b"""id,text,author_handle,author_name,author_followers,created_at,note
1,"acme, is
down",@jane,Jane,7,2026-11-23T10:00:00Z,x
2,plain,,,,,
3,too,many,cells,1,,,,
4,"the ""last"" one",bob,,,1700000000,
"""


def test_csv_is_read():
    """Quotes, line breaks in cells, empty cells; lines are numbered as in the file."""
    found = read(*CSV.splitlines(keepends=True), place="x.CSV")
    assert [row.text if isinstance(row, Mention) else row.sentence for row in found] == [
        "acme, is\ndown",
        "plain",
        "x.CSV, line 5: it has 9 cells, and the first line names 7.",
        'the "last" one',
    ]
    assert isinstance(found[0], Mention)
    assert found[0].author == Author("jane", "Jane", 7)


def test_csv_can_be_resumed():
    """After line 3 comes the row that ends on line 4."""
    rows = [row for _line, row in number_rows(CSV.splitlines(keepends=True), "x.csv", after=3)]
    assert isinstance(rows[0], Mention)
    assert rows[0].native_id == "2"


@pytest.mark.parametrize("sign", [";", "\t"])
def test_csv_of_other_programs_is_read(sign: str):
    """Semicolons and tabs, a byte order mark, and lines that end as on Windows."""
    (found,) = read(b"\xef\xbb\xbf" + f"ID{sign}Text\r\n".encode(), f"1{sign}hello, acme\r\n", place="x.tsv")
    assert isinstance(found, Mention)
    assert found.text == "hello, acme"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b"", b""], "names no column 'id'"),
        ([b"id,body\n", b"1,a\n"], "names no column 'text'"),
        ([b"id,text\n", b"1,\xff\n"], "not UTF-8"),
        ([b"id,text\n", b'1,"' + b"a" * (MAX_LINE + 5) + b'"\n'], "no CSV"),
    ],
)
def test_csv_that_cannot_be_read_is_refused(lines: list[bytes], words: str):
    """The reason is told."""
    (found,) = read(*lines, place="x.csv")
    assert isinstance(found, Refusal)
    assert words in found.reason


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["handle", "name", "followers", "id"]), inner),
    max_leaves=4,
)
COLUMNS = st.sampled_from(["id", "text", "author", "created_at", "brand", "followers"])


@given(st.dictionaries(COLUMNS, VALUES))
def test_any_object_is_read_or_refused(row: dict[str, object]):
    """No exception, whatever the values are; a mention that comes out can be stored."""
    (found,) = read(json.dumps(row))
    if isinstance(found, Mention):
        assert found.created_at.tzinfo is not None
        found.native_id.encode()
        found.author.handle.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes):
    """Neither as JSON nor as CSV does anything else come out."""
    for place in ("x.jsonl", "x.csv"):
        for row in read_rows(read_lines(io.BytesIO(data)), place):
            assert isinstance(row, Mention | Refusal)


def test_judged_posts_are_read(shared: Path):
    """Real posts, all of them."""
    file = shared / "data/dev/dev_judged.jsonl"
    with file.open("rb") as stream:
        rows = list(read_rows(read_lines(stream), file.name))
    assert len(rows) == len(file.read_bytes().splitlines())
    assert all(isinstance(row, Mention) for row in rows)
