"""Answering on Mastodon: one POST, never repeated, and never to more people than the post that is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote

import requests

from listeners.contract import Capability, Posted
from listeners.errors import ListenerError, Permanent, Retryable, Unknown
from listeners.mastodon.client import FAILURES, Access, Client, is_rate_limit, status_of
from listeners.mastodon.fields import Fields, parts_of, text_of
from listeners.mastodon.posts import PUBLIC, WRITABLE, ReplyRef, address_of, read_reply_ref
from listeners.mastodon.settings import Settings
from listeners.mention import Mention
from listeners.sent import was_never_sent

_UNSURE: Final = frozenset({408, 409, 425, 499})
"""Refusals that do not say for certain that nothing was posted."""
_SEEN_BY: Final = {
    "private": "our followers and the people it names",
    "direct": "the people it names",
}


def find_capability(settings: Settings, mention: Mention) -> Capability:
    """Say how a mention is answered, from what was kept with it alone."""
    ref = read_reply_ref(mention.reply_ref)
    account = mention.account or ref.account or (f"@{settings.handle}" if settings.handle else "")
    if settings.has_account and settings.answer == "api":
        seen_by = "everybody" if ref.visibility in PUBLIC else _SEEN_BY.get(ref.visibility, _SEEN_BY["direct"])
        warning = " Its content warning is kept." if ref.warning else ""
        return Capability("api", f"The reply can be seen by {seen_by}, as this post decides.{warning}", account=account)
    url, prefill = _page(settings, mention)
    if not url:
        return Capability("none", "Mastodon told no address for this post.")
    return Capability("by_hand", "Open the post and answer there.", url=url, account=account, prefill=prefill)


def _page(settings: Settings, mention: Mention) -> tuple[str, str]:
    """Return where a person answers by hand, and where a post can be filled in.

    `authorize_interaction` opens a post of any server on one's own; `share` opens a new post with a text.
    """
    own = settings.base_url.rstrip("/")
    address = mention.native_id if mention.native_id.startswith(("https://", "http://")) else mention.url
    if settings.by_hand_page == "post" or not address:
        return mention.url or address, ""
    prefill = f"{own}/share?text={{text}}" if settings.by_hand_page == "share" else ""
    return f"{own}/authorize_interaction?uri={quote(address, safe='')}", prefill


def send_reply(access: Access, mention: Mention, text: str, send_key: str, after: Posted | None) -> Posted:
    """Post a reply once.

    Raises:
        RateLimited, Retryable: certainly not posted.
        Permanent: refused, with the server's own words.
        Unknown: it may have been posted.
    """
    client = Client(access)  # a connection of its own: one that was kept open may be dead without our knowing
    try:
        ref = _aim(client, mention, after)
        return _post(client, ref, text, send_key)
    finally:
        client.close()


def _aim(client: Client, mention: Mention, after: Posted | None) -> ReplyRef:
    """Return what the reply needs, with the id on our own server of the post it answers; nothing is posted yet."""
    ref = read_reply_ref(mention.reply_ref)
    target = ref if after is None else read_reply_ref(after.reply_ref)
    if target.id and target.host == client.access.host:
        return replace(ref, id=target.id)
    status = _look_up(client, (mention.native_id or mention.url) if after is None else after.native_id)
    if not ref.visibility:
        ref = replace(ref, visibility=text_of(status, "visibility"), warning=text_of(status, "spoiler_text"))
    return replace(ref, id=text_of(status, "id"))


def _look_up(client: Client, address: str) -> Fields:
    """Return a post by its address, which our server fetches where it does not know it yet.

    Raises:
        RateLimited, Retryable, Permanent: it cannot be looked up, or is not to be found.
    """
    asked = {"result_type": "statuses", "resolve": True, "exclude_unreviewed": False}
    answer = client.ask(lambda api: api.search_v2(address, **asked)) if address else {}
    for status in parts_of(answer, "statuses") if isinstance(answer, dict) else []:
        if address in {text_of(status, "uri"), text_of(status, "url")} and text_of(status, "id"):
            return status
    raise Permanent(f"{client.access.host} cannot find this post: it may be gone, or on a server it does not talk to.")


def _post(client: Client, ref: ReplyRef, text: str, send_key: str) -> Posted:
    try:
        status = client.api.status_post(
            text,
            in_reply_to_id=ref.id,
            visibility=ref.visibility if ref.visibility in WRITABLE else "direct",
            spoiler_text=ref.warning or None,
            idempotency_key=send_key,
        )
    except FAILURES as err:
        raise _explain(client, err) from client.cause_of(err)
    told: Fields = status if isinstance(status, dict) else {}
    number, address = text_of(told, "id"), address_of(told)
    if not number:
        raise _unknown(client)
    return Posted(address or number, text_of(told, "url") or address, replace(ref, id=number).to_text())


def _unknown(client: Client) -> Unknown:
    return Unknown(f"{client.access.host} did not confirm the reply; look at our posts there before trying again.")


def _explain(client: Client, err: BaseException) -> ListenerError:
    """Say what a failed POST means for certain."""
    host, status, words = client.access.host, status_of(err), client.words_of(err)
    said = f" It says: {words}" if words else ""
    if is_rate_limit(err) or status == requests.codes.unauthorized:
        return client.explain(err)
    if was_never_sent(err):
        return Retryable(f"{host} cannot be reached; nothing was posted.")
    if status in {requests.codes.not_found, requests.codes.gone}:
        return Permanent(f"The post cannot be answered: it is gone, or hidden from our account.{said}")
    if status == requests.codes.forbidden:
        return Permanent(f"{host} does not let us post; does the access token have the scope write:statuses?{said}")
    if 400 <= status < 500 and status not in _UNSURE:
        return Permanent(f"{host} refuses this reply ({status}).{said}")
    return _unknown(client)
