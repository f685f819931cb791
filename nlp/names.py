"""First names: whether an author's display name truly begins with one. Pure text; loads no model.

Only a name on the list in first_names.txt is ever used, so no slur, joke or spoofed handle can get into a draft.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

_PART = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]*)*\.?")  # noqa: RUF001 - the curly apostrophe is meant
_MOST_PARTS = 4
_NOT_A_PERSON = frozenset(
    [
        "support",
        "help",
        "team",
        "official",
        "care",
        "service",
        "news",
        "bot",
        "app",
        "inc",
        "ltd",
        "llc",
        "gmbh",
        "shop",
        "store",
        "media",
        "group",
        "company",
        "brand",
        "admin",
        "customer",
        "desk",
        "hq",
        "fan",
        "fans",
        "daily",
        "club",
        "band",
        "parody",
        "updates",
        "the",
        "and",
        "of",
        "for",
        "at",
        "by",
    ]
)


def first_name(display_name: str, brand: str = "") -> str:
    """Return the first name in `display_name`, well written, or '' where there is none we can be sure of.

    The whole must look like a person: at most four words, letters only, no word such as 'Support', and nothing of
    the brand's own name.
    """
    parts = unicodedata.normalize("NFC", display_name).split()
    if not 1 <= len(parts) <= _MOST_PARTS or not all(_PART.fullmatch(part) for part in parts):
        return ""
    words = {part.casefold().strip(".") for part in parts}
    if words & _NOT_A_PERSON or words & set(brand.casefold().split()):
        return ""
    return _names().get(_fold(parts[0]), "") and _write(parts[0])


def _write(name: str) -> str:
    return name if name[1:].islower() and name[0].isupper() else name.title()


def _fold(name: str) -> str:
    bare = unicodedata.normalize("NFD", name.casefold())
    return "".join(char for char in bare if not unicodedata.combining(char))


@cache
def _names() -> dict[str, str]:
    text = files("nlp").joinpath("first_names.txt").read_text(encoding="utf-8")
    return {_fold(word): word for line in text.splitlines() if not line.startswith("#") for word in line.split()}
