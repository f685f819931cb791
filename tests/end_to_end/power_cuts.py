"""From the feed to the card by hand, over a store whose power can fail."""

from __future__ import annotations

from pathlib import Path

from bot.clock import ManualClock
from bot.config import Secrets
from bot.demo.rehearsal import Rehearsal
from bot.drafting import Drafting
from bot.slack.connection import build_client
from bot.slack.deliver import Deliver
from bot.slack.desk import Desk
from bot.slack.people import Roster
from nlp.playbook import load_playbook
from tests.bot.flow_fixtures import NOW, batch, build_intake, mention
from tests.end_to_end.loop import PLAYBOOK, settings_for, write_posts
from tests.stateful.stage import Cut, FragileStore, PowerCutError, reborn


def tokens_of(rehearsal: Rehearsal) -> Secrets:
    """Return the workspace's own tokens."""
    return Secrets.model_validate({"slack_bot_token": rehearsal.bot_token, "slack_app_token": rehearsal.app_token})


def build_desk(rehearsal: Rehearsal, folder: Path, name: str) -> Desk:
    """Return a desk over a store whose power can fail."""
    store = FragileStore(folder / f"{name}.db")
    store.open()
    settings = settings_for(rehearsal, folder, write_posts(folder / "none.jsonl", []))
    return Desk(store, settings, {}, Drafting(store, load_playbook(PLAYBOOK)), ManualClock(NOW))


def hear_and_post(desk: Desk, rehearsal: Rehearsal, turn: int, when: Cut) -> Desk:
    """Hear a post and tell Slack, with a power cut at the turn-th commit; go on after it as the next process does."""
    heard = batch(mention(f"p{turn}", f"my kettle leaks, number {turn}"), cursor=str(turn))
    store = desk.store
    assert isinstance(store, FragileStore)
    try:
        with store.power_cut(turn % 6, when):
            build_intake(store).take([heard])
            _tell_slack(desk, rehearsal)
    except PowerCutError:
        store = reborn(store)
        desk = Desk(store, desk.settings, {}, Drafting(store, load_playbook(PLAYBOOK)), desk.clock)
        build_intake(store).take([heard])  # the feed resumes from the stored cursor, or from before it
        _tell_slack(desk, rehearsal)
    return desk


def _tell_slack(desk: Desk, rehearsal: Rehearsal) -> None:
    """Run the outbox to Slack until nothing is due."""
    client = build_client(desk.settings, tokens_of(rehearsal))
    deliver = Deliver(desk, client, Roster(client, desk.store, desk.clock))
    deliver.recover()
    while not deliver.step():
        pass
