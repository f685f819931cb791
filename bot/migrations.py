"""The database's schema, as numbered steps. An applied step is never edited; a change is a new step.

Times are REAL seconds since 1970 in UTC. Tables are STRICT. What must be unique is a unique index, not a lock.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("cuecard")

_SCHEMA = """
create table feed (
    name text primary key,
    platform text not null,
    cursor text,
    heard_at real,                 -- last time it answered at all, mentions or not
    mention_at real,               -- last time it brought a mention
    deaf_since real,
    silent_after real,             -- after how many seconds without a word it is not heard; null: it is not waited for
    problem text not null default '',
    mentions integer not null default 0
) strict, without rowid;

create table gap (                 -- stretches nobody heard: silence is never a clean bill
    id integer primary key,
    feed text not null,
    started_at real not null,
    ended_at real,                 -- null: still deaf
    reason text not null
) strict;
create index gap_by_end on gap (ended_at);
create unique index gap_open on gap (feed) where ended_at is null;

create table spend (               -- what hearing cost, by feed and UTC day
    feed text not null,
    day text not null,
    micros integer not null default 0,
    primary key (feed, day)
) strict, without rowid;

create table conversation (
    id integer primary key,
    key text not null,             -- platform, thread and author: see bot.intake
    platform text not null,
    feed text not null,
    author text not null,
    brand text not null default '',
    state text not null,
    owner_id text,
    owner_name text,
    priority real not null,
    grade integer not null,
    needs_reply real not null,
    heard_at real not null,        -- first heard
    changed_at real not null,
    shown_at real,
    claimed_at real,
    answered_at real,
    snoozed_until real,
    dismiss_reason text,
    lead_id integer references conversation (id),   -- says the same as that one, and is shown on its card
    copies integer not null default 0,               -- how many conversations have this one as their lead
    quiet_cause text not null default '',            -- why it is quiet: 'line', 'budget', 'stale', 'copy'
    newest_mention_id integer,
    mentions integer not null default 0
) strict;
create unique index conversation_key on conversation (key);
create index conversation_queue on conversation (grade desc, priority desc, heard_at)
    where state in ('shown', 'claimed', 'sending');
create index conversation_quiet on conversation (heard_at) where state = 'quiet';
create index conversation_owner on conversation (owner_id, grade desc, priority desc, heard_at)
    where state in ('shown', 'claimed', 'sending') and owner_id is not null;
create index conversation_coming on conversation (grade desc, priority desc) where state = 'new';
create index conversation_unclaimed on conversation (changed_at) where state in ('new', 'shown', 'quiet');
create index conversation_snoozed on conversation (snoozed_until) where state = 'snoozed';
create index conversation_shown on conversation (shown_at) where shown_at is not null;
create index conversation_answered on conversation (answered_at) where answered_at is not null;
create index conversation_lead on conversation (lead_id) where lead_id is not null;

create table mention (
    id integer primary key,
    conversation_id integer not null references conversation (id),
    platform text not null,
    native_id text not null,
    feed text not null,
    brand text not null default '',
    watches text not null default '[]',
    author text not null,
    author_name text not null default '',
    author_id text not null default '',
    author_url text not null default '',
    followers integer,
    title text not null default '',
    text text not null,            -- whole; what SQLite cannot hold as text stands as U+FFFD here …
    text_exact blob,               -- … and exactly here
    url text not null default '',
    language text not null default '',
    thread_id text not null default '',
    in_reply_to text not null default '',
    parent_text text not null default '',
    account text not null default '',
    reply_ref text not null default '',
    clues text not null default '',                  -- leads here from an address or an author: see bot.store.clues
    created_at real not null,
    heard_at real not null,
    removed_at real,
    -- the assessment
    needs_reply real not null,
    urgent real not null,
    priority real not null,
    grade integer not null,
    invited text not null,
    intent text not null,
    intents text not null default '{}',
    assessed_language text not null default '',
    reasons text not null default '[]',
    closes integer not null default 0,
    model text not null default ''
) strict;
create unique index mention_native on mention (platform, native_id);
create index mention_of_conversation on mention (conversation_id, id);
create index mention_by_heard on mention (heard_at);

create virtual table mention_fts using fts5 (
    title, text, author, author_name, clues,
    content='mention', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
create trigger mention_fts_insert after insert on mention begin
    insert into mention_fts (rowid, title, text, author, author_name, clues)
    values (new.id, new.title, new.text, new.author, new.author_name, new.clues);
end;
create trigger mention_fts_delete after delete on mention begin
    insert into mention_fts (mention_fts, rowid, title, text, author, author_name, clues)
    values ('delete', old.id, old.title, old.text, old.author, old.author_name, old.clues);
end;
create trigger mention_fts_update after update of title, text, author, author_name, clues on mention begin
    insert into mention_fts (mention_fts, rowid, title, text, author, author_name, clues)
    values ('delete', old.id, old.title, old.text, old.author, old.author_name, old.clues);
    insert into mention_fts (rowid, title, text, author, author_name, clues)
    values (new.id, new.title, new.text, new.author, new.author_name, new.clues);
end;

create table event (               -- everything that happened, in order; never changed
    id integer primary key,
    conversation_id integer not null references conversation (id),
    at real not null,
    actor_id text not null,
    actor_name text not null,
    event text not null,
    before text not null,
    after text not null,
    detail text not null default ''
) strict;
create index event_of_conversation on event (conversation_id, id);
create index event_by_time on event (at);

create table card (                -- where a conversation stands in Slack
    conversation_id integer primary key references conversation (id),
    channel text not null,
    ts text not null,
    posted_at real not null
) strict;
create unique index card_message on card (channel, ts);
create index card_by_time on card (posted_at);

create table job (                 -- what Slack must still be told
    id integer primary key,
    kind text not null,
    key text not null,
    state text not null,
    class integer not null,        -- 0 notice, 1 edit, 2 digest and home, 3 new card: lower goes first
    priority real not null default 0,
    due_at real not null,
    attempts integer not null default 0,
    payload text not null default '',
    problem text not null default '',
    created_at real not null,
    finished_at real
) strict;
create unique index job_once on job (kind, key) where state = 'pending';
create index job_due on job (class, priority desc, due_at, kind) where state = 'pending';
create index job_posting on job (id) where state = 'posting';
create index job_finished on job (finished_at) where finished_at is not null;

create table send (                -- the ledger
    id integer primary key,
    conversation_id integer not null references conversation (id),
    mention_id integer not null references mention (id),
    state text not null,
    route text not null,
    text text not null,
    suggestion text not null default '',
    send_key text not null unique,
    actor_id text not null,
    actor_name text not null,
    approved_at real not null,
    send_after real not null,
    attempts integer not null default 0,
    native_id text not null default '',
    url text not null default '',
    problem text not null default '',
    finished_at real
) strict;
create unique index send_live on send (conversation_id)
    where state in ('approved', 'sending', 'unknown', 'handed_off');
create index send_due on send (send_after) where state = 'approved';
create index send_sending on send (id) where state = 'sending';
create index send_of_conversation on send (conversation_id, id);
create index send_of_mention on send (mention_id);

create table digest (local_date text primary key, channel text not null, ts text not null, posted_at real not null)
    strict, without rowid;
create table person (id text primary key, name text not null) strict, without rowid;   -- in Slack
create table seen (key text primary key, at real not null) strict, without rowid;   -- deliveries of Slack's
create index seen_by_time on seen (at);
create table revision (            -- the text of a post before its author edited it
    id integer primary key,
    mention_id integer not null references mention (id),
    text text not null,
    replaced_at real not null
) strict;
create index revision_of_mention on revision (mention_id);
"""


@migrations(name="001_the_whole_house")
def _create_tables(db: Database) -> None:
    """Create every table of the first version."""
    for statement in _split(_SCHEMA):
        db.execute(statement)


_EVERY_FEED = """
alter table mention add column feed_platform text not null default '';   -- what the feed that heard it was set up for
alter table mention add column may_train integer not null default 0;     -- may its text train a model
alter table mention add column sarcastic real not null default 0;        -- of the assessment, as is the next
alter table mention add column crisis real not null default 0;
alter table mention add column check_at real;   -- when to look at it again on its platform; null: a day after it was
                                                -- heard; infinity: never
create index mention_to_check on mention (feed, coalesce(check_at, heard_at + 86400.0)) where removed_at is null;
update mention set feed_platform = coalesce((select platform from feed where feed.name = mention.feed), '');

create table heard_hour (          -- what a feed brought in an hour in which it was listened to
    feed text not null,
    hour integer not null,         -- hours since 1970
    mentions integer not null default 0,
    refused integer not null default 0,       -- how much of what came was no mention
    listened integer not null default 0,      -- a bit for each five minutes in which it was listened to …
    brought integer not null default 0,       -- … and for each in which it brought a mention
    primary key (feed, hour)
) strict, without rowid;
alter table feed add column settings text;       -- a fingerprint: with other settings its rhythm is learned anew
alter table feed add column quiet_since real;    -- it answers, but has brought nothing for unusually long
create table doubt (               -- stretches in which a feed answered, but brought nothing for unusually long
    id integer primary key,
    feed text not null,
    started_at real not null,
    ended_at real,                 -- null: it brings nothing still
    usual text not null            -- what it usually brings in that time, in words
) strict;
create index doubt_by_end on doubt (ended_at);
create unique index doubt_open on doubt (feed) where ended_at is null;
create table told (                -- sentences of a feed that the operator was told: each once in a month (UTC)
    feed text not null,
    month text not null,
    sentence text not null,
    primary key (feed, month, sentence)
) strict, without rowid;

alter table send add column parts text not null default '[]';            -- the posts of a thread; [] for one post
alter table send add column posted text not null default '[]';           -- those of them that are up
"""


@migrations(name="002_every_feed")
def _add_what_every_feed_needs(db: Database) -> None:
    """Add what the platforms beside the first three need: accounts, re-checks, rhythm, threads."""
    for statement in _split(_EVERY_FEED):
        db.execute(statement)


_TEAM_TASTE = """
create table team_taste (          -- corrections of the ranker that were learned from what the team decided
    version integer primary key,
    made_at real not null,
    base text not null,            -- the exact weights it corrects; with others it is not used
    decisions integer not null,
    before real not null,          -- how well held-out decisions are ordered by those weights alone …
    after real not null,           -- … and with the correction: average precisions
    weights text,                  -- null: taken away for good
    moves text not null,           -- how far posts of an intent or a place are raised or lowered
    lessons text not null,         -- the numbers of the posts it stands on: without one of them it falls
    changed_at real not null,      -- when it was learned, or learned anew without a post that is gone
    state text not null,           -- 'active' or 'retired'
    replaced integer references team_taste (version)   -- what was in use before; null: the shipped weights alone
) strict;
create unique index team_taste_active on team_taste (state) where state = 'active';
create table team_look (           -- the last look at the decisions: one row
    id integer primary key check (id = 1),
    looked_at real,
    settled integer not null default 0,       -- how often people had settled a conversation by then
    decisions integer not null default 0,     -- how many of these could be learned from
    said text not null default '',
    paused_at real                 -- a version was taken back, and no other is learned until asked for; null: it learns
) strict;
create index event_settled on event (id)
    where after in ('answered', 'dismissed', 'handed_over', 'expired') and before <> after;
"""


_SUGGESTIONS = """
create table suggestion (          -- what was suggested for a post, so that it is the same each time it is asked
    id integer primary key,
    mention_id integer not null references mention (id),
    made_at real not null,
    about text not null,           -- a fingerprint of the post and of what was made of it …
    playbook text not null,        -- … and of the playbook: with others, drafts are made anew
    drafts text not null,
    notes text not null default '[]',
    sends text not null default '[]'          -- the past replies whose words it uses
) strict;
create index suggestion_of_mention on suggestion (mention_id, id);
create index suggestion_by_time on suggestion (made_at);
create index suggestion_reuse on suggestion (id) where sends <> '[]';
create index send_by_approval on send (approved_at);
create virtual table reply_fts using fts5 (   -- our own replies, by their words; nothing of anybody's post
    text, content='send', content_rowid='id', tokenize="porter unicode61 remove_diacritics 2"
);
create trigger reply_fts_insert after insert on send begin
    insert into reply_fts (rowid, text) values (new.id, new.text);
end;
create trigger reply_fts_delete after delete on send begin
    insert into reply_fts (reply_fts, rowid, text) values ('delete', old.id, old.text);
end;
create trigger reply_fts_update after update of text on send begin
    insert into reply_fts (reply_fts, rowid, text) values ('delete', old.id, old.text);
    insert into reply_fts (rowid, text) values (new.id, new.text);
end;
insert into reply_fts (reply_fts) values ('rebuild');
alter table feed add column paused_until real;   -- it holds back on purpose, as when its budget is spent; null: not so
alter table gap add column paused_until real;    -- as of the feed
"""


@migrations(name="003_the_teams_taste")
def _add_the_teams_taste(db: Database) -> None:
    """Add what the ranker learns from the team, what was suggested to it, and the search through its replies."""
    for statement in _split(_TEAM_TASTE + _SUGGESTIONS):
        db.execute(statement)


def _split(script: str) -> list[str]:
    """Cut a script into statements; a trigger's own semicolons stay inside it."""
    statements, current = [], ""
    for line in script.splitlines():
        current += line + "\n"
        ends = line.split("--", 1)[0].rstrip().endswith(";")
        is_inside_trigger = "create trigger" in current and not line.startswith("end;")
        if ends and not is_inside_trigger:
            statements.append(current.strip())
            current = ""
    return [statement for statement in statements if statement]
