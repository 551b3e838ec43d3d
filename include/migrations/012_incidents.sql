-- What is wrong, from when to when, and who was told.

-- Whether a feed failed because nothing has arrived: late, or missing.
alter table audit.feed_failures add column is_missing boolean not null default false;
update audit.feed_failures set is_missing = message like '%: no file has arrived in %';

-- One row per incident: from the first time that it was seen to the first time that it
-- was not seen any more. The message is that of the last time; opening_message the one
-- that was sent.
create table audit.incidents (
    incident_id bigint generated always as identity primary key,
    kind text not null,
    -- a source, a feed, or a part of the pipeline
    subject text not null,
    owner text not null,
    -- the heading of docs/runbook.md
    runbook text not null,
    opening_message text not null,
    message text not null,
    opened_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz
);
create unique index incidents_open
    on audit.incidents (kind, subject) where closed_at is null;

-- One row per message that is owed: by whom it goes, and when it went. A channel that is
-- switched on later owes messages of what is open then.
create table audit.incident_messages (
    message_id bigint generated always as identity primary key,
    incident_id bigint not null references audit.incidents on delete cascade,
    channel text not null,
    event text not null check (event in ('opened', 'closed')),
    attempts integer not null default 0,
    last_error text,
    notified_at timestamptz,
    unique (incident_id, channel, event)
);
create index incident_messages_owed
    on audit.incident_messages (message_id) where notified_at is null;
