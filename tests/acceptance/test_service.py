"""How tickets were served, against SQL by hand over what Zendesk sent.

The hand-written side reads raw exports alone: no staging view, no event of a model.
"""

import pytest

from include.settings import Settings
from tests.nights import fetch

LATEST_TICKETS = """
    select distinct on (record ->> 'id')
        record ->> 'id' as ticket_id,
        record ->> 'status' as status,
        coalesce(record ->> 'group_id', '(none)') as ticket_group,
        cast(record ->> 'created_at' as timestamptz) as created_at,
        cast(record ->> 'updated_at' as timestamptz) as updated_at
    from raw_zendesk.tickets
    order by record ->> 'id', cast(record ->> 'updated_at' as timestamptz) desc,
        _load_id desc, _file_no desc, _row_number desc
"""
LAST_STATUSES = """
    select distinct on (record ->> 'ticket_id')
        record ->> 'ticket_id' as ticket_id,
        events.event ->> 'value' as status_set,
        cast(record ->> 'created_at' as timestamptz) as changed_at
    from raw_zendesk.ticket_audits
    cross join lateral jsonb_array_elements(record -> 'events') as events (event)
    where events.event ->> 'type' = 'Change'
        and events.event ->> 'field_name' = 'status'
    order by record ->> 'ticket_id', cast(record ->> 'created_at' as timestamptz) desc,
        record ->> 'id' desc
"""
# Comments of agents who are no bots, after the first audit of their ticket.
FIRST_REPLIES = """
    with audits as (
        select distinct on (record ->> 'id') record
        from raw_zendesk.ticket_audits
    ),

    agents as (
        select distinct record ->> 'id' as user_id
        from raw_zendesk.users
        where record ->> 'role' in ('agent', 'admin')
            and record ->> 'id' not in (select user_id from warehouse.ticket_bots)
    )

    select
        audits.record ->> 'ticket_id' as ticket_id,
        min(cast(audits.record ->> 'created_at' as timestamptz)) as first_reply_at
    from audits
    cross join lateral jsonb_array_elements(audits.record -> 'events') as events (event)
    where events.event ->> 'type' = 'Comment'
        and events.event ->> 'public' = 'true'
        and coalesce(events.event ->> 'author_id', audits.record ->> 'author_id')
            in (select user_id from agents)
        and coalesce(audits.record #>> '{via,channel}', '')
            not in ('rule', 'trigger', 'automation')
        and not audits.record -> 'events' @> '[{"type": "Create"}]'
    group by 1
"""


def test_first_replies_are_those_of_the_raw_audits(shared_published: Settings) -> None:
    ((tickets, replied, wrong, longer),) = fetch(
        shared_published,
        "select count(*), count(service.first_reply_at),"
        " count(*) filter (where service.first_reply_at is distinct from"
        "   by_hand.first_reply_at or service.first_reply_minutes is distinct from"
        "   extract(epoch from by_hand.first_reply_at - tickets.created_at) / 60),"
        " count(*) filter (where service.first_reply_working_minutes"
        "   > service.first_reply_minutes)"
        " from marts.fct_ticket_service as service"
        f" join ({LATEST_TICKETS}) as tickets using (ticket_id)"
        f" left join ({FIRST_REPLIES}) as by_hand using (ticket_id)",
    )
    assert tickets > 300
    assert replied > 0.5 * tickets
    assert (wrong, longer) == (0, 0)


def test_the_last_backlog_is_what_is_open_now(shared_published: Settings) -> None:
    by_group = dict(
        fetch(
            shared_published,
            "select ticket_group, count(*)"
            f" from ({LATEST_TICKETS}) as tickets"
            f" left join ({LAST_STATUSES}) as changes using (ticket_id)"
            # A ticket's own export may have stayed behind its audits.
            " where case when changes.changed_at > tickets.updated_at"
            "  then changes.status_set else tickets.status end"
            "  not in ('solved', 'closed', 'deleted')"
            " and cast(created_at at time zone 'America/Sao_Paulo' as date) <="
            "  (select max(backlog_date) from marts.mart_ticket_backlog_daily)"
            " group by 1",
        )
    )
    assert sum(by_group.values()) > 10
    backlog = (
        "select breakdown_value, closing_backlog_tickets"
        " from marts.mart_ticket_backlog_daily where backlog_date ="
        " (select max(backlog_date) from marts.mart_ticket_backlog_daily)"
        " and breakdown = '{}' and closing_backlog_tickets > 0"
    )
    assert dict(fetch(shared_published, backlog.format("ticket_group"))) == by_group
    assert fetch(shared_published, backlog.format("total")) == [
        ("all", sum(by_group.values()))
    ]


def test_every_day_of_a_backlog_follows_the_one_before(
    shared_published: Settings,
) -> None:
    ((days, broken),) = fetch(
        shared_published,
        "select count(*), count(*) filter (where opening_backlog_tickets <> before"
        "  or backlog_date <> day_before + 1)"
        " from (select *, lag(closing_backlog_tickets) over cut as before,"
        "  lag(backlog_date) over cut as day_before"
        "  from marts.mart_ticket_backlog_daily"
        "  window cut as (partition by breakdown, breakdown_value"
        "   order by backlog_date)) as days where before is not null",
    )
    assert days > 60
    assert broken == 0


@pytest.mark.parametrize("grain", ["week", "month"])
def test_service_levels_are_medians_over_the_raw_audits(
    shared_published: Settings, grain: str
) -> None:
    by_hand = fetch(
        shared_published,
        f"select cast(date_trunc('{grain}', tickets.created_at"
        "  at time zone 'America/Sao_Paulo') as date), count(*),"
        " count(first_reply_at), count(*) filter (where first_reply_at is null"
        "  and status not in ('solved', 'closed')),"
        " round(cast(percentile_cont(0.5) within group (order by"
        "  extract(epoch from first_reply_at - created_at) / 60) as numeric), 6)"
        f" from ({LATEST_TICKETS}) as tickets"
        f" left join ({FIRST_REPLIES}) as replies using (ticket_id)"
        " where status <> 'deleted' group by 1 order by 1",
    )
    assert len(by_hand) > 1
    assert (
        fetch(
            shared_published,
            "select period_start, created_tickets, replied_tickets, unreplied_tickets,"
            " first_reply_minutes_median from marts.mart_service_levels"
            f" where period_grain = '{grain}' and breakdown = 'total'"
            " order by period_start",
        )
        == by_hand
    )
