"""A stand for the webhook: a sender that sends until it is told that its rows are stored, and a port to take away."""

from __future__ import annotations

from pathlib import Path

from clocks import NOON
from fake_webhook import SECRET, PatientSender, PortTaker, free_port
from stand import Serve, Stand

SECOND = int(NOON.timestamp())


def webhook_stand(_serve: Serve, _folder: Path) -> Stand:
    """A review site that sends what is written on it."""
    port = free_port()
    sender = PatientSender(port)
    takers: list[PortTaker] = []

    def add(number: int, text: str) -> None:
        row = {"id": number, "text": text, "author": "jane", "url": f"https://reviews.example/{number}"}
        sender.add({**row, "created_at": SECOND - 600 + number})

    def close() -> None:
        sender.close()
        for taker in takers:
            taker.close()

    return Stand(
        {"port": port},
        add,
        lambda: takers.append(PortTaker(port)),
        secrets={"WEBHOOK_SECRET": SECRET},
        close=close,
    )
