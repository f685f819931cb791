"""The server that a feed of Mastodon stands on: its name, its limits, and who we are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from listeners.mastodon.client import Client, NotOffered
from listeners.mastodon.fields import Fields, count_of, part_of, text_of

DEFAULT_LIMIT: Final = 500
DEFAULT_URL_LENGTH: Final = 23
"""What Mastodon allows, and counts for a link, where a server says nothing else (its documentation of `Instance`)."""
QUOTES_SINCE: Final = 7
"""The `api_versions.mastodon` from which quotes are notified of, that of Mastodon 4.5 (its documentation)."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself and of us.

    `host` is where it is asked; `domain` is what stands behind the @ in its people's names, which may be another.
    `limit` is how many characters a post may have, `url_length` how many of them a link counts for.
    `handle` is our account as user@domain, '' where nobody signs in; `account_id` is its id there.
    """

    host: str
    domain: str
    limit: int = DEFAULT_LIMIT
    url_length: int = DEFAULT_URL_LENGTH
    handle: str = ""
    account_id: str = ""
    version: str = ""
    has_quotes: bool = False

    @property
    def account(self) -> str:
        """Our account as it is shown and written, with a leading '@', or ''."""
        return f"@{self.handle}" if self.handle else ""

    def full_handle(self, acct: str) -> str:
        """Return user@domain for a name as this server writes it."""
        return full_handle(acct, self.domain)

    def is_us(self, account: Fields) -> bool:
        """Whether an account, as this server tells of it, is ours."""
        if self.account_id and text_of(account, "id") == self.account_id:
            return True
        acct = text_of(account, "acct")
        return bool(acct and self.handle) and self.full_handle(acct).lower() == self.handle.lower()


def full_handle(acct: str, domain: str) -> str:
    """Return user@domain for a name that a server writes without its own domain."""
    return acct if "@" in acct or not acct else f"{acct}@{domain}"


def read_server(client: Client, handle: str) -> Server:
    """Ask a server for its limits and our account; `handle` is what the settings say of the latter.

    Servers that are alike but not Mastodon leave some of this out, so none of it is required.

    Raises:
        RateLimited, Retryable, Permanent: it cannot be asked, or does not accept the token.
    """
    told = read_instance(client)
    account = read_account(client) if client.access.token else {}
    return build_server(client.access.host, told, account, handle)


def build_server(host: str, told: Fields, account: Fields, handle: str) -> Server:
    """Return what a server tells of itself and of our account there; `handle` is what the settings say of it."""
    statuses = part_of(part_of(told, "configuration"), "statuses")
    domain = (text_of(told, "domain") or _bare(text_of(told, "uri")) or host).lower()
    own = handle.lstrip("@") or text_of(account, "acct") or text_of(account, "username")
    return Server(
        host=host,
        domain=domain,
        limit=count_of(statuses, "max_characters") or count_of(told, "max_toot_chars") or DEFAULT_LIMIT,
        url_length=count_of(statuses, "characters_reserved_per_url") or DEFAULT_URL_LENGTH,
        handle=full_handle(own, domain),
        account_id=text_of(account, "id"),
        version=text_of(told, "version"),
        has_quotes=count_of(part_of(told, "api_versions"), "mastodon") >= QUOTES_SINCE,
    )


def _bare(address: str) -> str:
    """Return the host of what older servers call their `uri`: a host or an address."""
    return address.removeprefix("https://").removeprefix("http://").strip("/")


def read_instance(client: Client) -> Fields:
    """Return what a server tells of itself; {} where it has no page for that.

    Raises:
        RateLimited, Retryable, Permanent: as `Client.ask`.
    """
    for question in (lambda api: api.instance_v2(), lambda api: api.instance_v1()):
        try:
            told = client.ask(question)
        except NotOffered:
            continue
        return told if isinstance(told, dict) else {}
    return {}


def read_account(client: Client) -> Fields:
    """Return our own account; {} where the server has no page for that.

    Raises:
        RateLimited, Retryable, Permanent: as `Client.ask`.
    """
    try:
        told = client.ask(lambda api: api.account_verify_credentials())
    except NotOffered:
        return {}
    return told if isinstance(told, dict) else {}
