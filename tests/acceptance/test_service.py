"""How tickets were served, against SQL by hand over what Zendesk sent.

The hand-written side reads raw exports alone: no staging view, no event of a model.
"""

from datetime import datetime, timedelta

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


# Each ticket in its latest version, with its topic and whose it is; who is who is
# tested elsewhere.
TICKETS_ASKED = f"""
    select
        tickets.ticket_id,
        facts.customer_key,
        (
            select min(field ->> 'value')
            from jsonb_array_elements(raw.record -> 'custom_fields') as fields (field)
            where field ->> 'id' = '360000000101'
        ) as topic,
        tickets.created_at
    from ({LATEST_TICKETS}) as tickets
    inner join raw_zendesk.tickets as raw
        on raw.record ->> 'id' = tickets.ticket_id
        and cast(raw.record ->> 'updated_at' as timestamptz) = tickets.updated_at
    inner join marts.fct_tickets as facts
        on facts.ticket_id = tickets.ticket_id
    where tickets.status <> 'deleted'
    group by 1, 2, 3, 4
"""
STATUSES_SET = """
    select distinct
        record ->> 'ticket_id' as ticket_id,
        events.event ->> 'value' as status_set,
        events.event ->> 'previous_value' as status_before,
        cast(record ->> 'created_at' as timestamptz) as changed_at
    from raw_zendesk.ticket_audits
    cross join lateral jsonb_array_elements(record -> 'events') as events (event)
    where events.event ->> 'type' = 'Change'
        and events.event ->> 'field_name' = 'status'
"""


def test_first_solves_without_a_repeat_are_those_of_the_raw_audits(
    shared_published: Settings,
) -> None:
    """One case after the other, as a person would look them up."""
    asked = fetch(shared_published, TICKETS_ASKED)
    solved: dict[str, datetime] = {}
    reopened: dict[str, list[datetime]] = {}
    for ticket, status, before, at in fetch(
        shared_published, f"{STATUSES_SET} order by changed_at"
    ):
        if status == "solved":
            solved.setdefault(ticket, at)
        elif status == "open" and before == "solved":
            reopened.setdefault(ticket, []).append(at)
    by_hand = {}
    for ticket, customer, topic, created_at in asked:
        if ticket in solved:
            until = solved[ticket] + timedelta(hours=168)
            repeats = [at for at in reopened.get(ticket, []) if at <= until]
            repeats += [
                at
                for _, other_customer, other_topic, at in asked
                if (other_customer, other_topic) == (customer, topic)
                and created_at < at <= until
            ]
            by_hand[ticket] = (until, min(repeats, default=None))
    assert sum(repeat is not None for _, repeat in by_hand.values()) > 10
    published = fetch(
        shared_published,
        "select ticket_id, repeats_until, repeated_at"
        " from marts.fct_ticket_resolutions",
    )
    assert {ticket: row for ticket, *row in published} == {
        ticket: list(row) for ticket, row in by_hand.items()
    }
    ((as_of_end, mature, without),) = fetch(
        shared_published,
        "select cast(max(as_of_date) + 1 as timestamp)"
        " at time zone 'America/Sao_Paulo',"
        " sum(mature_solved_tickets), sum(no_repeat_fcr_tickets)"
        " from marts.mart_service_levels"
        " where period_grain = 'month' and breakdown = 'total'",
    )
    judged = [repeat for until, repeat in by_hand.values() if until <= as_of_end]
    assert (mature, without) == (len(judged), judged.count(None))
    assert 0 < without < mature < len(by_hand)


def test_a_promise_of_working_minutes_is_due_when_so_many_were_open(
    shared_published: Settings,
) -> None:
    """Minute by minute, on the clock of the calendar."""
    clocks = fetch(
        shared_published,
        "select clocks.target_minutes, count(minute), clocks.due_at"
        " from (select *, row_number() over (partition by calendar, sla_metric"
        "   order by md5(ticket_id)) as number"
        "  from marts.fct_sla_clocks join marts.fct_tickets"
        "   using (ticket_id, created_at) where minutes_kind = 'working') as clocks"
        " join warehouse.calendars using (calendar)"
        " cross join lateral generate_series(clocks.created_at,"
        "  clocks.due_at - interval '1 microsecond', '1 minute') as minute"
        " left join warehouse.holidays"
        "  on holidays.holiday_region = calendars.holiday_region"
        "  and holiday_date = cast(minute at time zone time_zone as date)"
        " where number <= 5 and holiday_date is null"
        "  and extract(isodow from minute at time zone time_zone) < 6"
        "  and cast(minute at time zone time_zone as time) >= '09:00'"
        "  and cast(minute at time zone time_zone as time) < '18:00'"
        " group by clocks.ticket_id, clocks.sla_metric, 1, 3",
    )
    assert len(clocks) > 20
    # Minutes that begin between two full ones may fall on either side of an opening.
    assert [row for row in clocks if abs(row[0] - row[1]) > 3] == []


def test_an_overdue_clock_is_breached_and_one_that_is_not_due_runs(
    shared_published: Settings,
) -> None:
    ((overdue, early, wrong),) = fetch(
        shared_published,
        "select count(*) filter (where due_at < as_of_end and sla_status = 'breached'),"
        " count(*) filter (where due_at >= as_of_end and sla_status = 'running'),"
        " count(*) filter (where (due_at < as_of_end) <> (sla_status = 'breached'))"
        " from marts.fct_sla_clocks cross join (select cast(min(as_of_date) + 1"
        "  as timestamp) at time zone 'America/Sao_Paulo' as as_of_end"
        "  from marts.data_status) as now"
        " where fulfilled_at is null and cancelled_at is null",
    )
    assert overdue > 0
    assert early > 0
    assert wrong == 0


def test_contacts_for_100_orders_are_tickets_and_orders_of_the_raw_exports(
    shared_published: Settings,
) -> None:
    by_hand = fetch(
        shared_published,
        "select month, contacts, orders, round(100.0 * contacts / orders, 6) from"
        " (select date_trunc('month', created_at at time zone 'America/Sao_Paulo')"
        f"   as month, count(*) as contacts from ({LATEST_TICKETS}) as tickets"
        "   where status <> 'deleted' group by 1) as asked"
        " join (select date_trunc('month', cast(order_date as timestamp)"
        "   at time zone 'UTC' at time zone 'America/Sao_Paulo') as month,"
        "   count(distinct record_id) as orders from raw_hubspot.orders group by 1)"
        "  as bought using (month) order by 1",
    )
    assert len(by_hand) > 1
    assert [row[1:] for row in by_hand] == fetch(
        shared_published,
        "select contacts, orders, contacts_per_100_orders from marts.mart_contact_rate"
        " where period_grain = 'month' and breakdown = 'total' and contacts > 0"
        " order by period_start",
    )
