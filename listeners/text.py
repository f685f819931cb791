"""Text as platforms give it: JSON, markup and broken characters; and replies for places that are answered by hand."""

from __future__ import annotations

import json
import re
import unicodedata
from html import unescape
from html.parser import HTMLParser
from typing import Final, NoReturn

import orjson
import regex

from listeners.contract import Shape

# fmt: off
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "figure", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "section", "table", "tr", "ul",
})
# fmt: on
_SILENT: Final = frozenset({"script", "style", "template", "noscript", "iframe", "object"})
_TAG: Final = re.compile(r"<[a-zA-Z/!?]")
_UNCLOSED: Final = re.compile(r"<(?![^<>]*>)")  # the parser would look for the end of each, all the way
_BLANKS: Final = re.compile(r"[ \t\r\n\f\v]+")
_SPACES: Final = re.compile(r"[ \t\r\f\v]+")
_BREAKS: Final = re.compile(r" *\n[ \n]*")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def decode_json(data: bytes) -> object:
    """Decode JSON, also with half of a surrogate pair in it, which the fast decoder refuses; NaN is no JSON.

    Raises:
        ValueError: with the reason in a few plain words.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _decode_slowly(data)


def _decode_slowly(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as err:
        raise ValueError("it is not UTF-8") from err
    except json.JSONDecodeError as err:
        raise ValueError(f"it is no JSON: {err.msg}, column {err.colno}") from err
    except RecursionError as err:
        raise ValueError("it is nested too deep") from err


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it is no JSON: {name} is no number")


def whole_characters(text: str) -> str:
    """Return the text with every half of a surrogate pair replaced; names, titles and links are kept in this form."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


class _Reader(HTMLParser):
    """Collects what a person would read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._pre = 0
        self._link = ""
        self._link_at = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Break lines at blocks; remember where a link leads."""
        if tag in _SILENT:
            self._silent += 1
        elif tag == "pre":
            self._pre += 1
            self.parts.append("\n")
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag == "p" else "\n")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "").strip()
            self._link_at = len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        """Break lines after blocks; write a link's address where its text does not show it."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag == "a":
            self._end_link()

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._silent:
            self.parts.append(data if self._pre else _BLANKS.sub(" ", data))

    def _end_link(self) -> None:
        label = "".join(self.parts[self._link_at :]).strip()
        is_web = self._link.startswith(("https://", "http://"))
        if is_web and label.endswith("...") and self._link.startswith(label[:-3]):
            self.parts[self._link_at :] = [self._link]  # a link that was shortened for display
        elif is_web and label and label not in self._link:
            self.parts.append(f" ({self._link})")
        self._link = ""


def html_to_text(html: str) -> str:
    """Return what a person would read: breaks where the page has them, no tags, web links as text, no other links.

    Text without tags keeps its own line breaks.
    """
    if _TAG.search(html) is None:
        return unescape(html).replace("\xa0", " ").strip()
    reader = _Reader()
    reader.feed(_UNCLOSED.sub("&lt;", html))
    reader.close()
    return _tidy("".join(reader.parts))


def _tidy(text: str) -> str:
    single = _SPACES.sub(" ", text.replace("\xa0", " "))
    return _BREAKS.sub(lambda found: "\n\n" if found[0].count("\n") > 1 else "\n", single).strip()


def count_graphemes(text: str) -> int:
    """Return how many characters a person sees (extended grapheme clusters)."""
    if text.isascii() and "\r" not in text:
        return len(text)
    return sum(1 for _ in regex.finditer(r"\X", text))


def shape_by_hand(text: str) -> Shape:
    """Prepare a reply for a place where a person pastes it and no limit is known."""
    prepared = unicodedata.normalize("NFC", text).strip()
    return Shape(prepared, len(prepared), 0, problem="" if prepared else "There is no text to post.")
