"""The composition root: builds the parts, starts and stops the threads. Nothing else knows all the rooms."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Self

from bot.clock import Clock, SystemClock
from bot.config import Secrets, Settings
from bot.drafting import Drafting, drafting_tasks, silent_of, tell_operator
from bot.intake import Intake, IntakeReport
from bot.late_drafts import LateDrafts, drafter_of
from bot.listening import SILENT_AFTER, Feed, Listening
from bot.outbox import Sender
from bot.platforms import fingerprint, open_platforms
from bot.recheck import Rechecks
from bot.scheduler import Scheduler, house_tasks
from bot.slack.connection import Line, build_app, build_client, sign_in
from bot.slack.deliver import Deliver
from bot.slack.desk import Desk
from bot.slack.people import Roster
from bot.store import Store
from bot.taste import Learner
from bot.watch_words import contexts_of
from listeners.catalog import PLATFORMS
from listeners.contract import Platform
from nlp.assess import Assessor
from nlp.group import Grouper
from nlp.playbook_file import PlaybookFile

log = logging.getLogger(__name__)


class Cuecard:
    """The whole bot. Building it opens the store and the feeds' settings but touches no network."""

    def __init__(self, settings: Settings, secrets: Secrets, clock: Clock | None = None) -> None:
        """Build every part.

        Raises:
            SettingsError, PlaybookError, StoreError: with one sentence; nothing is left open then.
        """
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        self._opened = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            undo.push(self._opened)
            self.store = Store(settings.store.path)
            tell = tell_operator(self.store, self._clock.now, self._wake)
            playbook = PlaybookFile(settings.playbook, tell)
            platforms = open_platforms(settings, secrets, self._pause, self._clock.now, spent=self._spent)
            for platform in platforms.values():
                self._opened.callback(platform.close)
            self._opened.enter_context(self.store.hold())  # first: a bot that runs keeps the tables it knows
            self._opened.enter_context(self.store)
            self._build_desk(settings, secrets, platforms, playbook)
            self._build_slack(secrets)
            undo.callback(self.line.stop)
            self._build_loop(settings, platforms)
            undo.pop_all()

    def _build_desk(
        self, settings: Settings, secrets: Secrets, platforms: dict[str, Platform], playbook: PlaybookFile
    ) -> None:
        drafting = Drafting(self.store, playbook, silent_of(settings))
        drafter = drafter_of(settings, secrets)
        late = LateDrafts(drafting, drafter) if drafter else None
        if late is not None:
            self._opened.callback(late.close)
        self.desk = Desk(self.store, settings, platforms, drafting, self._clock, wake=self._wake, late_drafts=late)

    def _build_slack(self, secrets: Secrets) -> None:
        client = build_client(self.desk.settings, secrets)
        self._roster = Roster(client, self.store, self._clock, team_only=self.desk.settings.slack.team_only)
        self.deliver = Deliver(self.desk, client, self._roster)
        self.line = Line(build_app(self.desk, client, self._roster), client, secrets, self._clock)

    def _build_loop(self, settings: Settings, platforms: dict[str, Platform]) -> None:
        self._assessor = Assessor(contexts=contexts_of(settings))
        intake = Intake(
            self.store,
            self._assessor,
            Grouper(),
            settings.cards,
            self._clock,
            timezone=settings.digest.timezone,
            own_handles=settings.brand.handles,
            may_train=settings.may_train,
        )
        feeds = [_feed(settings, name, platform) for name, platform in platforms.items()]
        self.listening = Listening(
            feeds, intake, self.store, self._clock, stop=self._stop, on_report=self._tell, retire_others=True
        )
        self.rechecks = Rechecks(feeds, self.store, self._clock, self.listening.give, self._stop)
        late_after = timedelta(minutes=settings.reply.late_after_minutes)
        self.sender = Sender(self.store, platforms, self._clock, late_after=late_after)
        expire_after = timedelta(days=settings.cards.expire_after_days)
        learner = Learner(self._assessor, settings.may_train)
        learner.use(self.store, self._clock.now())  # before the first mention is assessed
        tasks = [*house_tasks(settings.digest, expire_after), *learner.tasks(), *drafting_tasks(self.desk.drafting)]
        self.scheduler = Scheduler(self.store, self._clock, tasks)

    def start(self) -> None:
        """Sign in to Slack and start every thread. Slack being away is no reason not to listen.

        Raises:
            SlackRefusedError: Slack does not take the token; nothing was started then.
        """
        sign_in(self._roster)
        more = self.desk.drafting.what_to_warm()
        threading.Thread(target=self._warm, args=(more,), name="warm-up", daemon=True).start()
        self.line.start()
        self.deliver.start()
        self.sender.start()
        self.scheduler.start()
        self.listening.start()
        self.rechecks.start()
        log.info("Cuecard listens to %d feeds and posts to %s.", len(self.desk.platforms), self._channel)

    def wait(self) -> None:
        """Wait until `stop` is called from elsewhere, or the waiting is interrupted."""
        self._stop.wait()

    def stop(self) -> None:
        """Stop every thread and close the store. Safe to call twice, and after a start that failed half-way."""
        self._stop.set()
        steps: tuple[Callable[[], None], ...] = (
            self.line.stop,  # no more presses
            self.sender.stop,  # before its feeds are closed
            self.listening.stop,  # closes the feeds, which ends a look at old posts, too
            self.rechecks.stop,
            self.scheduler.stop,
            self.deliver.stop,
            self._opened.close,
        )
        for step in steps:
            try:
                step()
            except Exception:
                log.exception("A part of Cuecard did not stop cleanly.")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _channel(self) -> str:
        return self.desk.settings.slack.channel

    def _warm(self, more: Callable[[], object] | None) -> None:
        """Load what the first post and the first press on Reply would otherwise wait for."""
        self._assessor.warm()
        if more is not None:
            more()

    def _pause(self, seconds: float) -> bool:
        return self._clock.wait(self._stop, seconds)

    def _spent(self, feed: str) -> int:
        return self.store.spent_in_month(feed, self._clock.now())

    def _wake(self) -> None:
        self.deliver.wake()

    def _tell(self, report: IntakeReport) -> None:
        """Pass on what intake found: cards to post, and lines that were refused."""
        for sentence in report.refused:
            log.warning("Refused: %s", sentence)
        self.deliver.wake()


def _feed(settings: Settings, name: str, platform: Platform) -> Feed:
    """Return an opened feed with what the settings and the catalogue say of it."""
    kind = settings.platform_of(name)
    entry = PLATFORMS[kind]
    return Feed(
        name,
        kind,
        platform,
        entry.ends,
        _silence(settings, name),
        recheck_days=entry.recheck_days,
        settings=fingerprint(settings, name),
    )


def _silence(settings: Settings, feed: str) -> timedelta:
    """Return how long a feed may say nothing at all: an hour, or three looks of one that looks rarely."""
    poll = settings.feed[feed].get("poll_seconds")
    return max(SILENT_AFTER, 3 * timedelta(seconds=poll) if isinstance(poll, int | float) else SILENT_AFTER)
