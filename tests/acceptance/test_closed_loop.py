"""The closed loop, against SQL by hand over what the vendors sent."""

import psycopg
import pytest

from include.access.roles import name_roles
from include.settings import Settings, connect
from tests.nights import fetch

# Bad answers to the recommendation question, in their last version, of people whom the
# CRM knows by one number: whose they are is beyond doubt.
BAD_ANSWERS = """
    with versions as (
        select
            responses.record, loads.batch_date,
            row_number() over (
                partition by responses.record ->> 'ResponseId'
                order by loads.batch_date desc, responses._row_number desc
            ) as version
        from raw_qualtrics.responses
        join audit.loads on loads.load_id = responses._load_id
    ),

    people as (
        select customer_key, min(record_id) as contact_id
        from marts.customer_records
        where source_system = 'hubspot'
        group by customer_key having count(*) = 1
    )

    select
        record ->> 'ResponseId' as response_id,
        people.customer_key,
        people.contact_id,
        cast(record ->> 'Q_NPS' as integer) as score,
        cast(record ->> 'RecordedDate' || '+00' as timestamptz) as finished_at
    from versions
    join people on people.contact_id = record ->> 'ExternalReference'
    where version = 1
        and record ->> 'Status' = 'IP Address'
        and record ->> 'Finished' = 'True'
        and cast(record ->> 'Q_NPS' as integer) between 0 and 6
"""

# Calls and mails of people to people, and what agents wrote in tickets.
CONTACTS = """
    select
        records.customer_key,
        cast(activities.activity_date || '+00' as timestamptz) as occurred_at
    from raw_hubspot.activities
    join marts.customer_records as records
        on records.source_system = 'hubspot'
        and records.record_id = activities.associated_contact_id
    where direction = 'OUTBOUND'
        and event in ('sales_call', 'follow_up_call', 'follow_up_mail_sent')

    union all

    select
        records.customer_key,
        cast(audits.record ->> 'created_at' as timestamptz)
    from raw_zendesk.ticket_audits as audits
    join (
        select distinct
            record ->> 'id' as ticket_id, record ->> 'requester_id' as user_id
        from raw_zendesk.tickets
    ) as tickets
        on tickets.ticket_id = audits.record ->> 'ticket_id'
    join marts.customer_records as records
        on records.source_system = 'zendesk'
        and records.record_id = tickets.user_id
    cross join lateral jsonb_array_elements(audits.record -> 'events') as events (event)
    where events.event ->> 'type' = 'Comment'
        and events.event ->> 'public' = 'true'
        and events.event ->> 'author_id' in (
            select record ->> 'id' from raw_zendesk.users
            where record ->> 'role' in ('agent', 'admin')
            and record ->> 'id' not in (select user_id from warehouse.ticket_bots)
        )
"""


def test_cases_are_the_bad_answers_that_were_sent(shared_published: Settings) -> None:
    ((answers, cases, missing, wrong),) = fetch(
        shared_published,
        "with contacts as materialized (" + CONTACTS + "),"
        " answers as materialized (" + BAD_ANSWERS + "),"
        " by_hand as (select answers.*, (select min(occurred_at) from contacts"
        "  where contacts.customer_key = answers.customer_key"
        "  and occurred_at > finished_at) as contacted_at from answers)"
        " select count(*), count(cases.customer_key),"
        " count(*) filter (where cases.customer_key is null and not exists ("
        # It joined an open case, or does not count: a test, a repeated answer.
        "  select from answers as earlier"
        "  where earlier.customer_key = by_hand.customer_key"
        "  and earlier.response_id <> by_hand.response_id"
        "  and by_hand.finished_at - earlier.finished_at"
        "   between interval '0 hours' and interval '48 hours')"
        "  and not exists (select from marts.fct_survey_responses as excluded"
        "   where excluded.response_id = by_hand.response_id"
        "   and excluded.metric = 'nps' and not excluded.is_counted)),"
        " count(*) filter (where cases.customer_key is not null and ("
        "  cases.customer_key <> by_hand.customer_key"
        "  or cases.score <> by_hand.score"
        "  or cases.first_contact_at is distinct from by_hand.contacted_at"
        "  or cases.is_contacted_in_time <> coalesce(extract(epoch from"
        "   by_hand.contacted_at - by_hand.finished_at) <= 48 * 3600, false)))"
        " from by_hand left join marts.fct_closed_loop_cases as cases"
        "  on cases.closed_loop_case_id = by_hand.response_id || ':Q_NPS'",
    )
    assert answers > 20
    assert cases > 0.8 * answers
    assert (missing, wrong) == (0, 0)


@pytest.mark.parametrize("grain", ["week", "month"])
def test_the_share_is_counted_from_the_cases_that_are_due(
    shared_published: Settings, grain: str
) -> None:
    by_hand = fetch(
        shared_published,
        f"select cast(date_trunc('{grain}', opened_date) as date), count(*),"
        " count(*) filter (where is_contacted_in_time),"
        " round(100.0 * count(*) filter (where is_contacted_in_time) / count(*), 6)"
        " from marts.fct_closed_loop_cases where contactability = 'contactable'"
        " and due_at <= (select cast(min(as_of_date) + 1 as timestamp)"
        "  at time zone 'America/Sao_Paulo' from audit.as_of) group by 1 order by 1",
    )
    assert len(by_hand) > 1
    assert (
        fetch(
            shared_published,
            "select period_start, due_cases, contacted_in_time_cases,"
            " closed_loop_48h_percent from marts.mart_closed_loop"
            f" where period_grain = '{grain}' and breakdown = 'total'"
            " and due_cases > 0 order by period_start",
        )
        == by_hand
    )


def test_an_agent_sees_whom_to_call_and_a_reader_does_not(
    shared_published: Settings,
) -> None:
    listed = dict(
        fetch(
            shared_published,
            "select closed_loop_case_id, record_id from marts.closed_loop_overdue",
        )
    )
    never_called = {
        case
        for (case,) in fetch(
            shared_published,
            "select closed_loop_case_id from marts.fct_closed_loop_cases"
            " join marts.dim_customers using (customer_key)"
            " where is_current and may_be_contacted is not false"
            " and contactability = 'contactable' and first_contact_at is null"
            " and due_at <= (select cast(min(as_of_date) + 1 as timestamp)"
            "  at time zone 'America/Sao_Paulo' from audit.as_of)"
            " and due_at > (select cast(min(as_of_date) - 29 as timestamp)"
            "  at time zone 'America/Sao_Paulo' from audit.as_of)",
        )
    }
    assert set(listed) == never_called
    assert None not in listed.values()
    names = name_roles(shared_published.role_prefix)
    with connect(shared_published) as connection:
        connection.execute(f"set role {names['cx_agent']}")
        row = connection.execute(
            "select count(*) from marts.closed_loop_overdue"
        ).fetchone()
        assert row == (len(listed),)
        connection.execute(f"set role {names['bi_reader']}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select from marts.closed_loop_overdue")
