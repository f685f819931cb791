"""The entry point of `cuecard` and of `python -m bot`: the last place where an error can end well."""

from __future__ import annotations

import os
import sys

from bot.cli.app import app
from bot.cli.terminal import complain
from bot.redaction import redact


def main() -> None:
    """Run the command line and exit with its code.

    Exit codes: 0 done, 1 it cannot be done, 2 the command or a line of data is wrong, 130 stopped with Ctrl-C.
    """
    code: object = 1
    try:
        app(prog_name="cuecard")
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = 130
    except Exception as err:
        if "--debug" in sys.argv:
            raise
        complain(f"cuecard: something went wrong inside Cuecard ({redact(_summary(err))}); --debug shows where.")
    sys.exit(_flushed(code))


def _summary(err: Exception) -> str:
    said = " ".join(str(err).split())
    return f"{type(err).__name__}: {said[:300]}" if said else type(err).__name__


def _flushed(code: object) -> int:
    """Write out what is still held back; a reader that went away (`cuecard export | head`) is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    main()
