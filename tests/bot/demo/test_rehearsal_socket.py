"""Socket Mode, views and interactions, through the real Bolt app."""
# ruff: noqa: ANN401 - JSON and Bolt's injected arguments can be anything

from __future__ import annotations

import threading
from http.client import HTTPException
from typing import Any

import pytest
from mini_app import MiniApp, plain, reply_modal
from mini_app import card as mini_app_card
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.demo.acting import Used
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.demo.workspace import SlackRefusal

ANA, BEN = "Ana Lima", "Ben Okafor"


def error_of(call: Any, **arguments: Any) -> str:
    """Return the name of Slack's refusal."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def open_modal(rehearsal: Rehearsal, app: MiniApp, person: str = ANA) -> dict[str, Any]:
    """Press Reply on a new card; return the modal."""
    assert rehearsal.press(person, "#mentions", app.post_card(), "reply").sentence == ""
    view: dict[str, Any] = rehearsal.wait_for(lambda: rehearsal.views(person))[0]
    return view


def typed(text: str) -> dict[str, Any]:
    """Return the form's state with this answer."""
    return {"words": {"text": {"value": text}}}


def test_a_press_reaches_the_handler_and_the_card_changes_in_place(rehearsal: Rehearsal, mini_app: MiniApp):
    """A button's payload has the documented shape, and an update edits the same message."""
    ts = mini_app.post_card()
    rehearsal.press(ANA, "#mentions", ts, "claim")
    rehearsal.wait_for(lambda: rehearsal.messages("#mentions")[0]["text"] == "Claimed")
    body = mini_app.seen[0][1]
    assert body["user"]["id"] == "U0ANALIMA"
    assert body["container"] == {"type": "message", "message_ts": ts, "channel_id": "C0MENTIONS", "is_ephemeral": False}
    assert body["message"]["blocks"][2]["block_id"] == "post"
    assert {"trigger_id", "response_url", "team", "api_app_id", "channel"} <= body.keys()
    assert body["actions"][0]["type"] == "button"
    assert rehearsal.messages("#mentions")[0]["ts"] == ts
    assert rehearsal.complaints == []


@pytest.mark.parametrize(
    ("action", "value", "chosen"),
    [
        ("dismiss", {"selected_option": {"value": "spam"}}, {"text": plain("Spam or promotion"), "value": "spam"}),
        ("more", {"selected_option": "history"}, {"text": plain("History"), "value": "history"}),
        ("assign", {"selected_user": "U0BENOKA"}, "U0BENOKA"),
        ("snooze", {"selected_date_time": 1_800_000_000}, 1_800_000_000),
    ],
)
def test_choices_arrive_as_slack_sends_them(
    rehearsal: Rehearsal, mini_app: MiniApp, action: str, value: dict[str, Any], chosen: Any
):
    """An option is looked up in what was drawn; its text and value arrive whole."""
    rehearsal.press(ANA, "#mentions", mini_app.post_card(), action, **value)
    [(_, body)] = mini_app.seen
    assert next(v for k, v in body["actions"][0].items() if k.startswith("selected_")) == chosen


def test_what_was_not_drawn_can_not_be_pressed(
    rehearsal: Rehearsal, mini_app: MiniApp, monkeypatch: pytest.MonkeyPatch
):
    """A person has only the buttons that are there."""
    monkeypatch.setattr("bot.demo.rehearsal.PATIENCE_SECONDS", 0.1)
    ts = mini_app.post_card()
    with pytest.raises(SlackRefusal, match="no_such_action"):
        rehearsal.press(ANA, "#mentions", ts, "launch")


def test_a_button_that_is_about_to_be_drawn_is_waited_for(rehearsal: Rehearsal, mini_app: MiniApp):
    """A hand that is faster than the app's next drawing presses once the button is there."""
    ts = str(mini_app.client.chat_postMessage(channel="C0MENTIONS", text="Being drawn")["ts"])
    card = {"channel": "C0MENTIONS", "ts": ts, "text": "A card", "blocks": mini_app_card()}
    drawing = threading.Timer(0.3, lambda: mini_app.client.chat_update(**card))
    drawing.start()
    assert rehearsal.press(ANA, "#mentions", ts, "claim").sentence == ""
    drawing.join()


def test_a_form_is_refused_below_its_block_and_then_taken(rehearsal: Rehearsal, mini_app: MiniApp):
    """Errors name the block and the view stays; a good answer closes it."""
    view = open_modal(rehearsal, mini_app)
    assert rehearsal.submit(ANA, view["id"], typed("")).errors == {"words": "Please complete this required field."}
    answer = rehearsal.submit(ANA, view["id"], typed("Hi [what you found]"))
    assert answer.errors == {"words": "There is still a gap: [what you found]."}
    assert rehearsal.views(ANA)
    assert rehearsal.submit(ANA, view["id"], typed("Hi Mara")).to_json()["ok"]
    assert rehearsal.views(ANA) == []
    body = mini_app.seen[-1][1]
    assert body["view"]["state"]["values"]["words"]["text"] == {"type": "plain_text_input", "value": "Hi Mara"}
    assert {"hash", "private_metadata", "root_view_id", "callback_id"} <= body["view"].keys()


def test_errors_for_a_block_that_is_no_input_are_a_fault_of_the_app(rehearsal: Rehearsal, mini_app: MiniApp):
    """Slack can not show them, so the person sees trouble and the test sees a complaint."""
    view = open_modal(rehearsal, mini_app)
    assert "trouble" in rehearsal.submit(ANA, view["id"], typed("wrong answer")).sentence
    assert "errors_name_no_input_block" in rehearsal.complaints[0]


def test_typing_reaches_the_app_and_the_form_keeps_its_words(rehearsal: Rehearsal, mini_app: MiniApp):
    """A live count updates the view under the person's hands; what they typed elsewhere stays."""
    view = open_modal(rehearsal, mini_app)
    state = {"also": {"also": {"selected_options": [{"value": "lead"}]}}}
    used = Used("text", {"value": "Hello"}, state=state)
    rehearsal._run(lambda: rehearsal._acting.act(ANA, view["id"], used))

    def counted() -> bool:
        return "5 of 280" in rehearsal.views(ANA)[0]["blocks"][2]["elements"][0]["text"]

    rehearsal.wait_for(counted)
    values = rehearsal.views(ANA)[0]["state"]["values"]
    assert values["words"]["text"]["value"] == "Hello"
    assert values["also"]["also"]["selected_options"][0]["value"] == "lead"


def test_closing_tells_an_app_that_asked(rehearsal: Rehearsal, mini_app: MiniApp):
    """view_closed comes where notify_on_close is set."""
    view = open_modal(rehearsal, mini_app)
    rehearsal.close_view(ANA, view["id"])
    rehearsal.wait_for(lambda: "closed" in mini_app.names_seen())
    assert rehearsal.views(ANA) == []


def test_views_belong_to_one_person(rehearsal: Rehearsal, mini_app: MiniApp):
    """Ben can not submit what Ana has open."""
    view = open_modal(rehearsal, mini_app)
    assert rehearsal.views(BEN) == []
    assert rehearsal.submit(BEN, view["id"], typed("x")).sentence == "This view is closed."


def test_a_trigger_is_good_once_and_for_three_seconds():
    """The second exchange and the late one are refused by their names."""
    now = [1_700_000_000.0]
    with Rehearsal(clock=lambda: now[0]) as rehearsal:
        client = WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url)
        trigger = rehearsal._workspace.issue_trigger("U0ANALIMA")
        late = rehearsal._workspace.issue_trigger("U0ANALIMA")
        client.views_open(trigger_id=trigger, view=reply_modal())
        assert error_of(client.views_open, trigger_id=trigger, view=reply_modal()) == "exchanged_trigger_id"
        now[0] += 3.1
        assert error_of(client.views_open, trigger_id=late, view=reply_modal()) == "expired_trigger_id"
        assert error_of(client.views_open, trigger_id="made up", view=reply_modal()) == "invalid_trigger_id"


def test_views_have_hashes_limits_and_ends(rehearsal: Rehearsal, client: WebClient):
    """A stale hash loses the race, a fourth modal finds no room, a view that is gone is not found."""

    def trigger() -> str:
        return rehearsal._workspace.issue_trigger("U0ANALIMA")

    view = client.views_open(trigger_id=trigger(), view=reply_modal())["view"]
    fresh = client.views_update(view_id=view["id"], hash=view["hash"], view=reply_modal(1))["view"]
    assert fresh["hash"] != view["hash"]
    assert error_of(client.views_update, view_id=view["id"], hash=view["hash"], view=reply_modal()) == "hash_conflict"
    for _ in range(2):
        client.views_push(trigger_id=trigger(), view=reply_modal())
    assert error_of(client.views_push, trigger_id=trigger(), view=reply_modal()) == "push_limit_reached"
    assert error_of(client.views_update, view_id="V0", view=reply_modal()) == "not_found"
    assert error_of(client.views_open, trigger_id=trigger(), view={"type": "modal"}) == "invalid_arguments"
    huge = reply_modal() | {"private_metadata": "x" * 250_001}
    assert error_of(client.views_open, trigger_id=trigger(), view=huge) == "view_too_large"


def test_a_command_answers_the_person_and_can_answer_all(rehearsal: Rehearsal, mini_app: MiniApp):
    """The ack is seen by one, an in_channel response by everybody."""
    assert rehearsal.command(ANA, "#mentions", "/claim", "loud").sentence == ""
    assert [m["text"] for m in rehearsal.ephemerals("#mentions", ANA)] == ["You have #loud now."]
    rehearsal.wait_for(lambda: rehearsal.messages("#mentions"))
    body = mini_app.seen[0][1]
    assert (body["command"], body["text"], body["channel_name"]) == ("/claim", "loud", "mentions")


def test_commands_without_an_app_fail_in_words(rehearsal: Rehearsal):
    """Nothing is queued for a person who waits."""
    assert (
        rehearsal.command(ANA, "#mentions", "/claim", "3").sentence == "/claim failed because the app is not connected."
    )
    assert rehearsal.command(ANA, "#mentions", "/dance").sentence == "/dance is not a valid command."


def test_a_response_url_dies_after_five_uses(rehearsal: Rehearsal, mini_app: MiniApp):
    """Slack gives five."""
    rehearsal.command(ANA, "#mentions", "/claim", "3")
    hook = WebhookClient(mini_app.seen[0][1]["response_url"])
    assert [hook.send(text=str(n)).status_code for n in range(6)] == [200] * 5 + [404]


def test_app_home_is_asked_for_and_published(rehearsal: Rehearsal, mini_app: MiniApp):
    """Opening the tab is an event; the view is one person's."""
    rehearsal.open_home(ANA)
    home = rehearsal.wait_for(lambda: rehearsal.home(ANA))
    assert rehearsal.home(BEN) is None
    rehearsal.act(ANA, home["id"], "home_claim")
    rehearsal.wait_for(lambda: "home_claim" in mini_app.names_seen())
    assert mini_app.seen[-1][1]["container"] == {"type": "view", "view_id": home["id"]}


def test_notes_in_a_thread_stay_inside(rehearsal: Rehearsal, mini_app: MiniApp):
    """An app that did not subscribe to channel messages never hears of them."""
    ts = mini_app.post_card()
    rehearsal.say(ANA, "#mentions", "who knows <this> batch?", ts)
    note = rehearsal.messages("#mentions")[-1]
    assert (note["thread_ts"], note["text"]) == (ts, "who knows &lt;this&gt; batch?")
    assert rehearsal.envelopes == []


def test_an_unacknowledged_event_comes_again_with_its_number():
    """The same event id, then an attempt and a reason; after the last pause Slack gives up."""
    rules = Rules(is_paced=False, ack_seconds=0.15, redeliver_after=(0.05, 0.05))
    with Rehearsal(rules=rules) as rehearsal:
        app = App(client=WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url))
        attempts: list[tuple[str, Any]] = []
        answered = threading.Event()

        @app.event("app_home_opened")
        def hear(body: dict[str, Any]) -> None:
            answered.set()
            attempts.append((body["event_id"], None))

        handler = SocketModeHandler(app, rehearsal.app_token)
        handler.client.socket_mode_request_listeners.clear()  # hears, and never acknowledges
        handler.connect()
        rehearsal.wait_for(lambda: rehearsal.connections)
        rehearsal.open_home(ANA)
        rehearsal.wait_for(lambda: any("never acknowledged" in c for c in rehearsal.complaints))
        handler.close()
        envelopes = rehearsal.envelopes
    assert len({e["payload"]["event_id"] for e in envelopes}) == 1
    assert [e["retry_attempt"] for e in envelopes] == [0, 1, 2]
    assert [e["retry_reason"] for e in envelopes] == ["", "timeout", "timeout"]


def test_events_wait_for_an_app_that_is_away(rehearsal: Rehearsal):
    """What happened while nobody listened is delivered at the next connection."""
    rehearsal.open_home(ANA)
    app = MiniApp(rehearsal)
    rehearsal.wait_for(lambda: "home" in app.names_seen())
    app.close()


def test_a_repeated_delivery_is_the_same_again(rehearsal: Rehearsal, mini_app: MiniApp):
    """At least once: the app sees one click twice."""
    ts = mini_app.post_card()
    rehearsal.repeat_next()
    rehearsal.press(ANA, "#mentions", ts, "dismiss", selected_option="spam")
    rehearsal.wait_for(lambda: len(mini_app.seen) == 2)
    first, second = (body["actions"][0]["action_ts"] for _, body in mini_app.seen)
    assert first == second


def test_a_slow_ack_is_trouble_for_the_person():
    """After the time for an ack the person is told, and the late ack is noted."""
    with Rehearsal(rules=Rules(is_paced=False, ack_seconds=0.2)) as rehearsal:
        app = MiniApp(rehearsal)
        blocks = [{"type": "actions", "elements": [{"type": "button", "action_id": "stall", "text": plain("Wait")}]}]
        ts = app.client.chat_postMessage(channel="#mentions", text="x", blocks=blocks)["ts"]
        assert rehearsal.press(ANA, "#mentions", ts, "stall").sentence == "Cuecard did not respond. Try again."
        app.stall.set()
        rehearsal.wait_for(lambda: any("after the time was over" in c for c in rehearsal.complaints))
        app.close()


def test_a_disconnect_frame_brings_a_new_socket(rehearsal: Rehearsal, mini_app: MiniApp):
    """The client opens the new one first, and nothing is lost."""
    rehearsal.ask_to_reconnect()
    rehearsal.wait_for(lambda: rehearsal.connections == 1)
    rehearsal.press(ANA, "#mentions", mini_app.post_card(), "dismiss", selected_option="spam")
    assert mini_app.names_seen() == ["dismiss"]
    rehearsal.wait_for(lambda: len(rehearsal._link._sockets) == 1)  # the old one is gone before the client closes


def test_a_ticket_opens_one_socket(rehearsal: Rehearsal, mini_app: MiniApp):
    """Neither a made-up ticket nor a used one connects."""
    import websockets.sync.client as websockets  # noqa: PLC0415
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415

    url = mini_app.client.apps_connections_open(app_token=rehearsal.app_token)["url"]
    with websockets.connect(url, proxy=None) as socket:
        assert '"hello"' in socket.recv()
        for wrong in (url, url.replace("ticket=", "ticket=x")):
            with pytest.raises(InvalidStatus), websockets.connect(wrong, proxy=None):
                pass


def test_each_envelope_goes_to_one_of_several_sockets(rehearsal: Rehearsal, mini_app: MiniApp):
    """Two connections share the work, and nothing arrives twice."""
    other = MiniApp(rehearsal)
    rehearsal.wait_for(lambda: rehearsal.connections == 2)
    ts = mini_app.post_card()
    for _ in range(4):
        rehearsal.press(ANA, "#mentions", ts, "dismiss", selected_option="spam")
    assert len(mini_app.seen) == len(other.seen) == 2
    other.close()


def test_an_hour_away_and_back(rehearsal: Rehearsal, mini_app: MiniApp):
    """While the workspace is away every call is cut; afterwards the app finds its way back by itself."""
    rehearsal.go_away()
    with pytest.raises((OSError, HTTPException)):
        mini_app.client.auth_test()
    rehearsal.come_back()
    assert mini_app.client.auth_test()["ok"]
    rehearsal.wait_for(lambda: rehearsal.connections == 1, 30)
    rehearsal.press(ANA, "#mentions", mini_app.post_card(), "claim")
    assert mini_app.names_seen() == ["claim"]
