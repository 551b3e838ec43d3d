-- What became of every row and key that a build saw.

-- Rows that staging typed and passed on; with those it set aside, all that were loaded.
alter table audit.loads add column rows_staged bigint;

-- Natural keys of the loads that a build worked on, by where they ended.
-- place: a published model; the reason for which a key is left out; or null: lost.
create table audit.key_accounts (
    build_id bigint not null references audit.builds on delete cascade,
    feed text not null,
    place text,
    is_in_star boolean not null,
    keys bigint not null,
    example text
);
create unique index key_accounts_once
    on audit.key_accounts (build_id, feed, place) nulls not distinct;
create index key_accounts_by_feed on audit.key_accounts (feed, build_id);
