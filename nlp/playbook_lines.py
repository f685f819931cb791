"""Where in a playbook's TOML a key stands, so that a mistake can be told with its line. Pure."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[?\s*[\"']?([\w-]+)[\"']?\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*[.=]")
_FENCE = re.compile(r'"""|\'\'\'')


class Lines:
    """The headers and keys of a file, each with its line; what stands inside a text of several lines is neither."""

    def __init__(self, text: str) -> None:
        """Read the file once; it need not be valid."""
        self._keys: dict[tuple[str, int], dict[str, int]] = {}
        self._top: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        current: tuple[str, int] | None = None
        fence = ""
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            was_inside, fence = bool(fence), _fence_after(line, fence)
            if was_inside:
                continue
            if header := _HEADER.match(line):
                current = self._begin(header[1], number)
            elif key := _KEY.match(line):
                known = self._top if current is None else self._keys[current]
                known.setdefault(key[1], number)

    def find(self, section: str, number: int, key: str = "") -> int:
        """Return the line of a key, or of its section's header where the key is not there; 0 where neither is."""
        keys = self._keys.get((section, number))
        if keys is None:
            return self._top.get(section, 0)
        return keys.get(key) or keys[""]

    def _begin(self, section: str, line: int) -> tuple[str, int]:
        place = (section, self._seen.get(section, 0))
        self._seen[section] = place[1] + 1
        self._keys[place] = {"": line}
        return place


def _fence_after(line: str, fence: str) -> str:
    """Return the quotes of the text of several lines that a line is in when it ends, '' for none."""
    for found in _FENCE.findall(line):
        if not fence:
            fence = found
        elif fence == found:
            fence = ""
    return fence
