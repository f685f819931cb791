"""A real browser for the tests: Chromium as the system has it, without its chatter to the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium; skip the test where there is none, unless CUECARD_NEEDS_BROWSER=1 says there must be one."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CUECARD_NEEDS_BROWSER") == "1":
            pytest.fail(f"CUECARD_NEEDS_BROWSER=1, but none of {', '.join(NAMES)} is installed")
        pytest.skip(f"no browser here: install one of {', '.join(NAMES)} to run the page's tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def new_page(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """Open a page that may talk to this machine only; return it and the list that its faults are noted in."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("request", lambda asked: None if asked.url.startswith(url) else faults.append(f"asked for {asked.url}"))
    page.on("dialog", lambda dialog: (faults.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(url)
    page.wait_for_selector("[data-place]")
    return page, faults
