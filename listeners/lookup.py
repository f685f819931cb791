"""Finding the addresses of a host, and telling which of them belong to the public internet.

The system's own resolver can be told neither to hurry nor to stop, so it is asked in a thread of its own, which is left
behind where it takes too long.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]


class Lookup:
    """One question to a resolver; `cut` from another thread ends the wait for its answer."""

    def __init__(self, resolve: Resolver, host: str, port: int) -> None:
        """Ask at once."""
        self._answers: queue.SimpleQueue[Sequence[str] | BaseException] = queue.SimpleQueue()
        arguments = (resolve, host, port, self._answers)
        threading.Thread(target=_ask, args=arguments, name=f"look-up of {host}", daemon=True).start()

    def cut(self) -> None:
        """End the wait; it is told as a time-out."""
        self._answers.put(TimeoutError())

    def wait(self, seconds: float) -> Sequence[str]:
        """Return the addresses.

        Raises:
            TimeoutError: there was no answer in time, or the wait was cut.
            BaseException: what the resolver raised; where it knows no address, an OSError.
        """
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty as err:
            raise TimeoutError from err
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _ask(resolve: Resolver, host: str, port: int, answers: queue.SimpleQueue[Sequence[str] | BaseException]) -> None:
    try:
        answers.put(resolve(host, port))
    except BaseException as err:  # noqa: BLE001 - it is raised again where the answer is waited for
        answers.put(err)


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order to try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None or ip.teredo is not None or ip.is_site_local:
            return False
        inner = ip.sixtofour or _inside_nat64(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _inside_nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None
