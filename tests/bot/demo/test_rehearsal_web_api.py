"""The Web API look-alike, through Slack's own client."""
# ruff: noqa: ANN401 - JSON and Bolt's injected arguments can be anything

from __future__ import annotations

import http.client
from typing import Any

import pytest
from mini_app import card, plain
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.demo.limits import Pace, Rules
from bot.demo.rehearsal import Rehearsal
from bot.demo.workspace import Channel


def refusal(call: Any, **arguments: Any) -> Any:
    """Return Slack's refusal of a call."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response


def test_auth_test_names_the_bot(client: WebClient):
    """A good token learns who it is, and its scopes."""
    answer = client.auth_test()
    assert answer["user_id"] == "U0CUECARD"
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(("token", "error"), [("xoxb-wrong", "invalid_auth"), ("", "not_authed")])
def test_a_wrong_token_is_refused(rehearsal: Rehearsal, token: str, error: str):
    """Nobody gets in without the token."""
    assert refusal(WebClient(token=token, base_url=rehearsal.api_url).auth_test)["error"] == error


def test_an_app_token_only_opens_connections(rehearsal: Rehearsal, client: WebClient):
    """The two tokens are not interchangeable."""
    other = WebClient(token=rehearsal.app_token, base_url=rehearsal.api_url)
    assert refusal(other.auth_test)["error"] == "not_allowed_token_type"
    assert refusal(client.apps_connections_open, app_token=rehearsal.bot_token)["error"] == "not_allowed_token_type"


def test_an_unknown_method_is_named(client: WebClient):
    """What Slack does not know, this does not know."""
    assert refusal(client.api_call, api_method="chat.shout")["error"] == "unknown_method"


def test_a_missing_scope_is_named():
    """An app with fewer scopes is told which one it lacks."""
    with Rehearsal(scopes=["commands"]) as rehearsal:
        answer = refusal(WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url).users_list)
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")


def test_post_update_delete(rehearsal: Rehearsal, client: WebClient):
    """A message lives: posted, edited in place, gone."""
    ts = client.chat_postMessage(channel="#mentions", text="Hello", blocks=card())["ts"]
    client.chat_update(channel="C0MENTIONS", ts=ts, text="Changed", blocks=card("Ana has this."))
    [message] = rehearsal.messages("#mentions")
    assert (message["ts"], message["text"]) == (ts, "Changed")
    assert "edited" in message
    client.chat_delete(channel="C0MENTIONS", ts=ts)
    assert rehearsal.messages("#mentions") == []


def test_update_with_text_alone_drops_the_blocks(rehearsal: Rehearsal, client: WebClient):
    """Slack's trap: an update without blocks leaves none; metadata stays unless it is cleared."""
    metadata = {"event_type": "card", "event_payload": {"id": 1}}
    ts = client.chat_postMessage(channel="#mentions", text="x", blocks=card(), metadata=metadata)["ts"]
    client.chat_update(channel="C0MENTIONS", ts=ts, text="only words")
    [message] = rehearsal.messages("#mentions")
    assert "blocks" not in message
    assert message["metadata"] == metadata
    client.chat_update(channel="C0MENTIONS", ts=ts, text="only words", metadata={})
    assert "metadata" not in rehearsal.messages("#mentions")[0]


def test_only_own_messages_can_be_changed(rehearsal: Rehearsal, client: WebClient):
    """What a person wrote is theirs."""
    rehearsal.say("Ana Lima", "#mentions", "mine")
    ts = rehearsal.messages("#mentions")[0]["ts"]
    assert refusal(client.chat_update, channel="C0MENTIONS", ts=ts, text="x")["error"] == "cant_update_message"
    assert refusal(client.chat_delete, channel="C0MENTIONS", ts=ts)["error"] == "cant_delete_message"
    assert refusal(client.chat_update, channel="C0MENTIONS", ts="1.1", text="x")["error"] == "message_not_found"


REFUSED = [
    pytest.param({"channel": "C0NONE", "text": "x"}, "channel_not_found", id="no channel"),
    pytest.param({"channel": "general", "text": "x"}, "not_in_channel", id="not a member"),
    pytest.param({"channel": "old", "text": "x"}, "is_archived", id="archived"),
    pytest.param({"channel": "secret", "text": "x"}, "channel_not_found", id="private"),
    pytest.param({"channel": "#mentions"}, "no_text", id="nothing to say"),
    pytest.param({"channel": "#mentions", "text": "x", "blocks": [{"type": "nope"}]}, "invalid_blocks", id="blocks"),
    pytest.param({"channel": "#mentions", "text": "x", "blocks": "{"}, "invalid_blocks_format", id="no JSON"),
    pytest.param({"channel": "#mentions", "text": "x", "thread_ts": "1.2"}, "thread_not_found", id="thread"),
    pytest.param({"channel": "#mentions", "text": "x", "metadata": {"a": 1}}, "invalid_metadata_schema", id="metadata"),
]


@pytest.mark.parametrize(("arguments", "error"), REFUSED)
@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
def test_refusals_of_post_message(rehearsal: Rehearsal, client: WebClient, arguments: dict[str, Any], error: str):
    """Each mistake has Slack's own name."""
    rehearsal.add_channel(Channel("C0GENERAL", "general", is_member=False))
    rehearsal.add_channel(Channel("C0OLD", "old", is_archived=True))
    rehearsal.add_channel(Channel("C0SECRET", "secret", is_member=False, is_private=True))
    assert refusal(client.chat_postMessage, **arguments)["error"] == error


def test_invalid_blocks_say_where(client: WebClient):
    """The details point at the place."""
    blocks = [{"type": "header", "text": plain("x" * 151)}]
    answer = refusal(client.chat_postMessage, channel="#mentions", text="x", blocks=blocks)
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_long_texts(rehearsal: Rehearsal, client: WebClient):
    """A post is cut at 40,000 characters, an update above 4,000 refused, as are too many words in blocks."""
    ts = client.chat_postMessage(channel="#mentions", text="x" * 50_000)["ts"]
    assert len(rehearsal.messages("#mentions")[0]["text"]) == 40_000
    assert refusal(client.chat_update, channel="C0MENTIONS", ts=ts, text="x" * 4001)["error"] == "msg_too_long"
    blocks = [{"type": "section", "text": plain("x" * 3000)}] * 4
    assert (
        refusal(client.chat_postMessage, channel="#mentions", text="x", blocks=blocks)["error"] == "msg_blocks_too_long"
    )


def test_threads_history_and_replies(rehearsal: Rehearsal, client: WebClient):
    """Notes live in the thread, not in the channel's history; metadata comes where it is asked for."""
    metadata = {"event_type": "card", "event_payload": {"id": 7}}
    ts = client.chat_postMessage(channel="#mentions", text="card", metadata=metadata)["ts"]
    rehearsal.say("Ben Okafor", "#mentions", "a note", ts)
    [found] = client.conversations_history(channel="C0MENTIONS", include_all_metadata=True)["messages"]
    assert found["metadata"] == metadata
    assert found["reply_count"] == 1
    [bare] = client.conversations_history(channel="C0MENTIONS")["messages"]
    assert "metadata" not in bare
    texts = [m["text"] for m in client.conversations_replies(channel="C0MENTIONS", ts=ts)["messages"]]
    assert texts == ["card", "a note"]


def test_history_pages_newest_first(client: WebClient):
    """A cursor walks back in time; `oldest` is exclusive unless asked otherwise."""
    stamps = [client.chat_postMessage(channel="#mentions", text=str(n))["ts"] for n in range(5)]
    first = client.conversations_history(channel="C0MENTIONS", limit=2)
    assert [m["text"] for m in first["messages"]] == ["4", "3"]
    cursor = first["response_metadata"]["next_cursor"]
    second = client.conversations_history(channel="C0MENTIONS", limit=2, cursor=cursor)
    assert [m["text"] for m in second["messages"]] == ["2", "1"]
    late = client.conversations_history(channel="C0MENTIONS", oldest=stamps[3])
    assert [m["text"] for m in late["messages"]] == ["4"]


def test_users_channels_and_permalinks(rehearsal: Rehearsal, client: WebClient):
    """The rest of what a bot asks."""
    assert {u["real_name"] for u in client.users_list()["members"]} >= {"Ana Lima", "Ben Okafor", "Chloe Martin"}
    assert client.users_info(user="U0ANALIMA")["user"]["profile"]["display_name"] == "Ana Lima"
    assert refusal(client.users_info, user="U0")["error"] == "user_not_found"
    rehearsal.add_channel(Channel("C0SHARED", "partners", is_ext_shared=True))
    assert client.conversations_info(channel="C0SHARED")["channel"]["is_ext_shared"] is True
    assert [c["name"] for c in client.conversations_list()["channels"]] == ["mentions", "cuecard-ops", "partners"]
    ts = client.chat_postMessage(channel="#mentions", text="x")["ts"]
    link = client.chat_getPermalink(channel="C0MENTIONS", message_ts=ts)["permalink"]
    assert link == f"{rehearsal.url}/archives/C0MENTIONS/p{ts.replace('.', '')}"
    client.reactions_add(channel="C0MENTIONS", timestamp=ts, name="eyes")
    assert refusal(client.reactions_add, channel="C0MENTIONS", timestamp=ts, name="eyes")["error"] == "already_reacted"


def test_ephemeral_is_for_one(rehearsal: Rehearsal, client: WebClient):
    """Only the person addressed sees it, and it is no message of the channel."""
    client.chat_postEphemeral(channel="C0MENTIONS", user="U0ANALIMA", text="psst")
    assert [m["text"] for m in rehearsal.ephemerals("#mentions", "Ana Lima")] == ["psst"]
    assert rehearsal.ephemerals("#mentions", "Ben Okafor") == []
    assert rehearsal.messages("#mentions") == []


def test_json_bodies_work_like_forms(rehearsal: Rehearsal, client: WebClient):
    """Slack takes both encodings."""
    client.api_call("chat.postMessage", json={"channel": "#mentions", "text": "j", "blocks": card()})
    assert rehearsal.messages("#mentions")[0]["text"] == "j"


def test_pings_are_recorded(rehearsal: Rehearsal, client: WebClient):
    """A bot that forgets to escape is found out, in any text that is not plain."""
    client.chat_postMessage(channel="#mentions", text="&lt;!channel&gt;", blocks=card(text="<!channel>"))
    assert rehearsal.pings == []
    client.chat_postMessage(channel="#mentions", text="x", blocks=card(status="<!everyone>"))
    assert [p.target for p in rehearsal.pings] == ["!everyone"]


def test_one_channel_takes_one_message_a_second():
    """After a short burst, 429 with Retry-After; another channel is still free."""
    with Rehearsal(rules=Rules(message_burst=2), clock=lambda: 1_700_000_000.0) as rehearsal:
        client = WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url, retry_handlers=[])
        for _ in range(2):
            client.chat_postMessage(channel="C0MENTIONS", text="x")
        answer = refusal(client.chat_postMessage, channel="C0MENTIONS", text="x")
        assert (answer.status_code, answer["error"]) == (429, "ratelimited")
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.chat_postMessage(channel="C0OPS", text="x")["ok"]


def test_a_tier_holds_its_calls_a_minute():
    """Tier 3 takes 50 at once and then about one a second."""
    pace = Pace(Rules())
    waits = [pace.wait_for("chat.update", 3, "", 100.0) for _ in range(51)]
    assert waits[:50] == [0.0] * 50
    assert waits[50] == pytest.approx(1.2)
    assert pace.wait_for("chat.update", 3, "", 102.0) == 0.0
    assert Pace(Rules(is_paced=False)).wait_for("chat.update", 3, "", 100.0) == 0.0


@pytest.mark.parametrize(("how", "is_done"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_call_is_ambiguous(rehearsal: Rehearsal, client: WebClient, how: Any, is_done: bool):
    """The caller sees the same lost connection whether or not it was done."""
    rehearsal.fail("chat.postMessage", how)
    with pytest.raises(http.client.RemoteDisconnected):
        client.chat_postMessage(channel="#mentions", text="x")
    assert bool(rehearsal.messages("#mentions")) is is_done
    assert rehearsal.calls[-1].result == how
    assert client.chat_postMessage(channel="#mentions", text="y")["ok"]


@pytest.mark.parametrize(("how", "status"), [("ratelimited", 429), ("server_error", 500), ("error_after", 500)])
def test_planned_errors(rehearsal: Rehearsal, client: WebClient, how: Any, status: int):
    """The planned number of calls goes wrong, then all is well."""
    rehearsal.fail("auth.test", how, times=2)
    assert [refusal(client.auth_test).status_code for _ in range(2)] == [status, status]
    assert client.auth_test()["ok"]


def test_other_web_sites_are_kept_out(rehearsal: Rehearsal):
    """A page from elsewhere can not drive the workspace of this machine."""
    port = int(rehearsal.url.rpartition(":")[2])
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/page/do/say", body="{}", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()
