"""Real exports of three ticket systems in one star, against known truths.

A service desk's log, complaints of a public site, and Zendesk's tables as a connector
writes them, loaded side by side. The figures were counted apart from this project. A
night after it, in a copy of the warehouse, brings invented rows of the same shapes.
"""

import csv
import gzip
import io
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.settings import Settings
from tests.conftest import database_name, open_database, settings_of
from tests.nights import fetch, run

# A build of its own for the sources that are on here.
pytestmark = pytest.mark.slow

DAY = date(2022, 9, 14)
NEXT_DAY = DAY + timedelta(days=1)
SOURCES = ("servicenow", "reclameaqui", "zendesk_tables")
LOG = "ticket_servicenow/incident_event_log.csv.gz"
COMPLAINTS = "ticket_reclameaqui/RECLAMEAQUI_HAPVIDA.csv"
TABLES = {
    "ticket_data.csv": "tickets",
    "user_data.csv": "users",
    "organization_data.csv": "organizations",
    "group_data.csv": "groups",
    "ticket_comment_data.csv": "ticket_comments",
    "ticket_field_history_data.csv": "ticket_field_history",
    "satisfaction_rating_data.csv": "satisfaction_ratings",
    "schedule_data.csv": "schedules",
    "schedule_holiday_data.csv": "schedule_holidays",
}
FILES = {
    LOG: "servicenow/incidents",
    COMPLAINTS: "reclameaqui/complaints",
    **{
        f"ticket_zendesk_tables/{file}": f"zendesk_tables/{feed}"
        for file, feed in TABLES.items()
    },
}
# The state that holds of every incident; the file's order, its times and its counts of
# changes all say the same.
LAST_STATES = """
    with last_states as (
        select distinct on (ticket_id) *
        from staging.stg_servicenow__incidents
        where not is_quarantined
        order by ticket_id, updated_at desc, revision desc
    )
"""
STATUSES = {
    "New": "new",
    "Active": "open",
    "Awaiting User Info": "pending",
    "Awaiting Vendor": "hold",
    "Awaiting Problem": "hold",
    "Awaiting Evidence": "hold",
    "Resolved": "solved",
    "Closed": "closed",
}

Row = Mapping[str, str]


@pytest.fixture(scope="module")
def loaded(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:
    landing = tmp_path_factory.mktemp("landing")
    for file, feed in FILES.items():
        folder = landing / feed / DAY.isoformat()
        folder.mkdir(parents=True)
        shutil.copy(shared_data / file, folder)
    with open_database(postgres_server, template=built_template) as url:
        settings = replace(settings_of(url, landing), sources=SOURCES)
        assert run(settings, DAY, DAY, "real") == []
        yield settings


@pytest.fixture(scope="module")
def gone_on(
    postgres_server: EmbeddedPostgres, loaded: Settings, shared_data: Path
) -> Iterator[Settings]:
    """The warehouse after another night."""
    send_next_night(Path(loaded.landing_url), shared_data)
    template = database_name(loaded.database_url)
    with open_database(postgres_server, template=template) as url:
        settings = replace(settings_of(url, Path(loaded.landing_url)), sources=SOURCES)
        assert run(settings, NEXT_DAY, NEXT_DAY, "next") == []
        yield settings


def send_next_night(landing: Path, shared_data: Path) -> None:
    """Write the night's exports: what they hold is invented, or sent once more."""
    states = [row for row in read_log(shared_data) if row["number"] == "INC0000045"]
    again = {**states[-1], "active": "true", "reopen_count": "1"}
    write(
        landing / "servicenow/incidents",
        "log.csv",
        [
            # Out of order: only the count tells which of two in a minute is the last.
            {
                **again,
                "incident_state": "Resolved",
                "sys_mod_count": "6",
                "sys_updated_at": "15/9/2022 08:00",
            },
            {
                **again,
                "incident_state": "Active",
                "sys_mod_count": "5",
                "sys_updated_at": "15/9/2022 08:00",
                "assignment_group": "Group 70",
            },
            *states,
        ],
    )
    # Another company's list: other headers, numbers of states, dates in ISO; a
    # spreadsheet has saved it.
    incident = {
        "Number": "INC9000001",
        "State": "2",
        "Opened": "2022-09-14 10:00:00",
        "Updated": "2022-09-14 11:30:00",
        "Priority": "1 - Critical",
        "Caller": "Ana Conceição",
        "Channel": "Self-service",
    }
    parked = {**incident, "Number": "INC9000002", "State": "Parked"}
    undated = {**incident, "Number": "INC9000003", "Opened": "9/31/2022 10:00"}
    write(
        landing / "servicenow/incidents",
        "list.csv",
        [incident, parked, undated],
        *(";", "cp1252"),
    )

    complaints = read_complaints(shared_data)
    swapped = complaints["149490335"]
    certain = next(row for row in complaints.values() if row["TEMPO"] == "2022-09-13")
    resent = [{**row, "STATUS": "Resolvido"} for row in (swapped, certain)]
    write(landing / "reclameaqui/complaints", "resent.csv", resent, ",", "utf-8-sig")
    healthy = [
        {"ID": f"1600000{day:02}", "TEMPO": f"2022-09-{day:02}", "STATUS": "Respondida"}
        for day in range(1, 15)
    ]
    write(landing / "reclameaqui/complaints", "healthy.csv", healthy, ";")
    alone = {"ID": "170000001", "TEMPO": "2022-04-03", "STATUS": "Respondida"}
    write(landing / "reclameaqui/complaints", "alone.csv", [alone], ";")
    of_the_night = {"ID": "170000002", "TEMPO": "2022-12-09", "STATUS": "Respondida"}
    write(landing / "reclameaqui/complaints", "night.csv", [of_the_night], ";")

    # A ticket and an agent, invented, that comments of the real file belong to.
    ticket = {
        "id": "7636",
        "status": "new",
        "created_at": "2020-06-19 20:00:00",
        "updated_at": "2020-06-26 20:47:27",
        "requester_id": "2222",
        "via_channel": "email",
    }
    rounded = {**ticket, "id": "3.6E+11"}
    write(landing / "zendesk_tables/tickets", "tickets.csv", [ticket, rounded])
    agent = {
        "id": "413068955393",
        "role": "agent",
        "active": "TRUE",
        "updated_at": "2020-02-26 22:55:12",
    }
    write(landing / "zendesk_tables/users", "users.csv", [agent])


def write(
    feed: Path,
    name: str,
    rows: list[Row],
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> None:
    """Write rows into a file of the next night."""
    folder = feed / NEXT_DAY.isoformat()
    folder.mkdir(exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    (folder / name).write_text(text.getvalue(), encoding, newline="")


def read_log(shared_data: Path) -> list[dict[str, str]]:
    with gzip.open(shared_data / LOG, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_complaints(shared_data: Path) -> dict[str, dict[str, str]]:
    with (shared_data / COMPLAINTS).open(encoding="utf-8", newline="") as file:
        return {row["ID"]: row for row in csv.DictReader(file, delimiter=";")}


def count_events(rows: list[dict[str, str]]) -> Counter[str]:
    """Count what happened to incidents, from their log alone."""
    events: Counter[str] = Counter()
    rows = [row for row in rows if row["incident_state"] != "-100"]
    rows.sort(
        key=lambda row: (
            row["number"],
            datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M"),
            int(row["sys_mod_count"]),
        )
    )
    done = ("solved", "closed")
    for _, states in groupby(rows, key=lambda row: row["number"]):
        history = list(states)
        statuses = [STATUSES[row["incident_state"]] for row in history]
        first = "new" if statuses[0] in done else statuses[0]
        events["created"] += 1
        for before, after in pairwise([first, *statuses]):
            if before == after:
                continue
            is_solved = after in done and before not in done
            events["solved"] += is_solved
            events["closed"] += after == "closed"
            events["reopened"] += before in done and after not in done
            events["status_changed"] += before not in done and after not in done
        agents = ["?", *(row["assigned_to"] for row in history)]
        groups = [row["assignment_group"] for row in history]
        priorities = [row["priority"] for row in history]
        events["assigned"] += sum(map(str.__ne__, agents, agents[1:]))
        events["moved"] += sum(map(str.__ne__, groups, groups[1:]))
        events["priority_changed"] += sum(map(str.__ne__, priorities, priorities[1:]))
    return events


def test_every_row_is_staged_or_set_aside_with_its_reason(loaded: Settings) -> None:
    assert fetch(
        loaded,
        "select feed, rows_in_file, rows_rejected, rows_staged, rows_quarantined"
        " from audit.loads order by feed",
    ) == [
        ("reclameaqui.complaints", 1016, 0, 1016, 0),
        ("servicenow.incidents", 119_998, 0, 119_996, 2),
        ("zendesk_tables.groups", 8, 0, 8, 0),
        ("zendesk_tables.organizations", 10, 0, 10, 0),
        ("zendesk_tables.satisfaction_ratings", 15, 0, 15, 0),
        ("zendesk_tables.schedule_holidays", 2, 0, 2, 0),
        ("zendesk_tables.schedules", 5, 0, 5, 0),
        ("zendesk_tables.ticket_comments", 20, 0, 20, 0),
        ("zendesk_tables.ticket_field_history", 38, 0, 38, 0),
        ("zendesk_tables.tickets", 10, 0, 10, 0),
        ("zendesk_tables.users", 10, 0, 10, 0),
    ]
    # A state that is none.
    assert fetch(
        loaded,
        "select sent_status, quarantine_reason, count(*)"
        " from staging.stg_servicenow__incidents where is_quarantined group by 1, 2",
    ) == [("-100", "ticket_status cannot be read", 2)]


def test_every_key_ends_in_the_star_or_is_left_out_for_a_reason(
    loaded: Settings,
) -> None:
    assert fetch(loaded, "select * from audit.key_accounts where place is null") == []
    assert dict(
        fetch(
            loaded,
            "select feed, sum(keys)::int from audit.key_accounts where is_in_star"
            " group by 1",
        )
    ) == {
        "reclameaqui.complaints": 1016,
        "servicenow.incidents": 20_769,
        "zendesk_tables.organizations": 10,
        "zendesk_tables.ticket_field_history": 1,
        "zendesk_tables.tickets": 10,
        "zendesk_tables.users": 10,
    }


def test_a_service_desk_s_last_events_are_its_tickets(loaded: Settings) -> None:
    counted = {
        column: dict(
            fetch(
                loaded,
                f"select {column}, count(*) from marts.fct_tickets"
                " where starts_with(ticket_id, 'INC') group by 1",
            )
        )
        for column in ("priority", "channel", "ticket_status", "ticket_type")
    }
    assert counted == {
        "priority": {"urgent": 220, "high": 337, "normal": 19_554, "low": 658},
        "channel": {"phone": 20_733, "e-mail": 36},
        "ticket_status": {"closed": 20_768, "new": 1},
        "ticket_type": {"incident": 20_769},
    }
    assert fetch(
        loaded,
        "select to_char(created_at at time zone 'UTC', 'YYYY-MM'), count(*)"
        " from marts.fct_tickets where starts_with(ticket_id, 'INC')"
        " group by 1 order by 1",
    ) == [("2016-02", 207), ("2016-03", 8995), ("2016-04", 7934), ("2016-05", 3633)]


def test_service_levels_are_counted_by_ticket_and_not_by_row(loaded: Settings) -> None:
    assert fetch(
        loaded,
        f"{LAST_STATES} select count(*), count(*) filter (where is_sla_met),"
        " count(*) filter (where reopenings > 0),"
        " count(*) filter (where resolved_at is null), count(resolved_at)"
        " from last_states",
    ) == [(20_769, 12_595, 234, 1_418, 19_351)]
    ((mean, median),) = fetch(
        loaded,
        f"{LAST_STATES} select avg(hours), percentile_cont(0.5) within group ("
        " order by hours) from (select cast(extract(epoch from"
        " resolved_at - created_at) / 3600 as float8) as hours from last_states"
        " where resolved_at is not null) as resolutions",
    )
    assert (round(mean, 3), round(median, 3)) == (187.678, 24.600)


def test_what_happened_to_incidents_is_what_their_log_tells(
    loaded: Settings, shared_data: Path
) -> None:
    events = dict(
        fetch(
            loaded,
            "select event_type, count(*) from marts.fct_ticket_events"
            " where starts_with(ticket_id, 'INC') group by 1",
        )
    )
    assert events == count_events(read_log(shared_data))
    assert (events["created"], events["reopened"]) == (20_769, 277)
    # Nothing had to be inferred, and nothing happened before its ticket.
    assert fetch(
        loaded,
        "select count(*) filter (where events.is_inferred),"
        " count(*) filter (where events.occurred_at < tickets.created_at)"
        " from marts.fct_ticket_events as events"
        " join marts.fct_tickets as tickets using (ticket_id)"
        " where starts_with(ticket_id, 'INC')",
    ) == [(0, 0)]


def test_people_whom_a_service_desk_names_are_keys_in_the_star(
    loaded: Settings,
) -> None:
    assert fetch(
        loaded,
        "select count(distinct identity_id) filter (where identity_id ~ '^user:'),"
        " count(*) filter (where identity_id ~ '^ticket:')"
        " from warehouse.int_tickets where starts_with(ticket_id, 'INC')",
    ) == fetch(
        loaded,
        f"{LAST_STATES} select count(distinct incidents.caller_id),"
        " count(*) filter (where incidents.caller_id is null)"
        " from last_states join raw_servicenow.incidents as incidents"
        " using (_load_id, _file_no, _row_number)",
    )
    for table in ("int_tickets", "int_ticket_audit_events", "fct_ticket_events"):
        assert fetch(
            loaded,
            f"select count(*) from warehouse.{table} as told"
            " where told::text ~ '(Caller|Resolver|Opened by|Updated by) '",
        ) == [(0,)]


def test_complaints_keep_their_status_and_have_the_star_s(loaded: Settings) -> None:
    assert dict(
        fetch(
            loaded,
            "select sent_status || ' = ' || tickets.ticket_status, count(*)"
            " from staging.stg_reclameaqui__complaints as complaints"
            " join marts.fct_tickets as tickets"
            " on tickets.ticket_id = 'reclameaqui/' || complaints.ticket_id group by 1",
        )
    ) == {
        "Não respondida = new": 639,
        "Respondida = pending": 271,
        "Resolvido = solved": 67,
        "Em réplica = open": 36,
        "Não resolvido = open": 3,
    }
    assert fetch(
        loaded,
        "select distinct channel from marts.fct_tickets"
        " where starts_with(ticket_id, 'reclameaqui/')",
    ) == [("social",)]


def test_swapped_days_and_months_are_told_by_the_order_of_numbers(
    loaded: Settings, shared_data: Path
) -> None:
    assert fetch(
        loaded,
        "select count(*) filter (where extract(day from written_date) = 9),"
        " count(*) filter (where extract(day from written_date) <= 12),"
        " count(*) filter (where is_day_month_swapped),"
        " count(*) filter (where is_day_month_swapped <> is_day_month_doubtful)"
        " from staging.stg_reclameaqui__complaints",
    ) == [(521, 521, 461, 0)]
    # The days of a fortnight and a half, each as often as the file has it.
    days = Counter(
        datetime.strptime(
            row["TEMPO"], "%Y-%d-%m" if int(row["DIA"]) <= 12 else "%Y-%m-%d"
        ).date()
        for row in read_complaints(shared_data).values()
    )
    assert len(days) == (date(2022, 9, 13) - date(2022, 8, 23)).days + 1
    assert (
        dict(
            fetch(
                loaded,
                "select created_date, count(*) from marts.fct_tickets"
                " where starts_with(ticket_id, 'reclameaqui/') group by 1",
            )
        )
        == days
    )


def test_a_ticket_of_zendesk_s_tables_has_its_history(loaded: Settings) -> None:
    assert fetch(
        loaded,
        "select event_type, previous_value, new_value from marts.fct_ticket_events"
        " where ticket_id = 'zendesk_tables/11071' and event_type <> 'assigned'"
        " order by position",
    ) == [
        ("created", None, "open"),
        ("status_changed", "open", "pending"),
        ("status_changed", "pending", "hold"),
        ("status_changed", "hold", "pending"),
        ("status_changed", "pending", "open"),
        ("priority_changed", "normal", "medium"),
        ("status_changed", "open", "pending"),
        ("status_changed", "pending", "hold"),
        ("priority_changed", "medium", "high"),
        ("status_changed", "hold", "open"),
        ("status_changed", "open", "hold"),
        ("status_changed", "hold", "pending"),
        ("priority_changed", "high", "urgent"),
        ("status_changed", "pending", "open"),
        ("solved", "open", "solved"),
        ("closed", "solved", "closed"),
    ]
    assert dict(
        fetch(
            loaded,
            "select ticket_status, count(*) from marts.fct_tickets"
            " where starts_with(ticket_id, 'zendesk_tables/') group by 1",
        )
    ) == {"closed": 7, "deleted": 2, "solved": 1}


def test_hashed_scores_are_no_ratings(loaded: Settings) -> None:
    assert fetch(
        loaded,
        "select count(*), count(rating), count(created_at)"
        " from staging.stg_zendesk_tables__satisfaction_ratings",
    ) == [(15, 0, 15)]


def test_schedules_and_holidays_are_typed(loaded: Settings) -> None:
    assert fetch(
        loaded,
        "select count(*), sum(closes_at_week_minute - opens_at_week_minute)"
        " from staging.stg_zendesk_tables__schedules",
    ) == [(5, 5 * 720)]
    assert fetch(
        loaded,
        "select first_date, last_date"
        " from staging.stg_zendesk_tables__schedule_holidays order by 1",
    ) == [
        (date(2022, 12, 26), date(2022, 12, 27)),
        (date(2022, 12, 29), date(2022, 12, 29)),
    ]


def test_a_night_adds_events_to_an_old_incident(gone_on: Settings) -> None:
    """States that come once more change nothing."""
    assert fetch(
        gone_on,
        "select event_type, new_value, (occurred_at at time zone 'UTC')::date"
        " from marts.fct_ticket_events where ticket_id = 'INC0000045'"
        " order by position",
    ) == [
        ("created", "new", date(2016, 2, 29)),
        ("solved", "solved", date(2016, 2, 29)),
        ("closed", "closed", date(2016, 3, 5)),
        ("reopened", "open", NEXT_DAY),
        ("moved", "Group 70", NEXT_DAY),
        ("solved", "solved", NEXT_DAY),
        ("moved", "Group 56", NEXT_DAY),
    ]
    assert fetch(
        gone_on,
        "select ticket_status, group_id, updated_at from marts.fct_tickets"
        " where ticket_id = 'INC0000045'",
    ) == [("solved", "Group 56", datetime(2022, 9, 15, 8, tzinfo=UTC))]


def test_a_list_of_another_service_desk_is_read_where_it_is_safe(
    gone_on: Settings,
) -> None:
    assert fetch(
        gone_on,
        "select ticket_id, ticket_status, priority, channel, created_at"
        " from marts.fct_tickets where ticket_id like 'INC9%%'",
    ) == [
        (
            *("INC9000001", "open", "urgent", "web"),
            datetime(2022, 9, 14, 10, tzinfo=UTC),
        )
    ]
    assert fetch(
        gone_on,
        "select ticket_id, quarantine_reason from staging.stg_servicenow__incidents"
        " where is_quarantined and ticket_id like 'INC9%%' order by 1",
    ) == [
        ("INC9000002", "ticket_status cannot be read"),
        ("INC9000003", "created_at cannot be read"),
    ]


def test_a_complaint_is_resolved_on_the_night_that_first_says_so(
    gone_on: Settings,
) -> None:
    assert fetch(
        gone_on,
        "select event_type, new_value, is_inferred, occurred_date"
        " from marts.fct_ticket_events where ticket_id = 'reclameaqui/149490335'"
        " order by position",
    ) == [
        ("created", "new", False, date(2022, 9, 1)),
        ("solved", "solved", True, NEXT_DAY),
    ]


def test_dates_are_swapped_only_where_the_file_proves_it(gone_on: Settings) -> None:
    complaints = fetch(
        gone_on,
        "select ticket_id, complaint_date, is_day_month_swapped, quarantine_reason"
        " from staging.stg_reclameaqui__complaints where ticket_id > '16' order by 1",
    )
    assert complaints == [
        *(
            (f"1600000{day:02}", date(2022, 9, day), False, None)
            for day in range(1, 15)
        ),
        ("170000001", None, False, "complaint_date cannot be read"),
        ("170000002", date(2022, 9, 12), True, None),
    ]


def test_a_number_that_a_spreadsheet_rounded_is_no_ticket(gone_on: Settings) -> None:
    assert fetch(
        gone_on,
        "select quarantine_reason from staging.stg_zendesk_tables__tickets"
        " where is_quarantined",
    ) == [("ticket_id cannot be read",)]


def test_the_first_reply_is_seen_among_the_comments(gone_on: Settings) -> None:
    assert fetch(
        gone_on,
        "select event_type, author_role, is_public, occurred_at"
        " from marts.fct_ticket_events where ticket_id = 'zendesk_tables/7636'"
        " order by position",
    ) == [
        *(
            ("created", "unknown", None, datetime(2020, 6, 19, 20, 0, tzinfo=UTC)),
            (
                *("commented", "agent", True),
                datetime(2020, 6, 19, 20, 40, 41, tzinfo=UTC),
            ),
            (
                *("commented", "agent", True),
                datetime(2020, 6, 26, 20, 47, 27, tzinfo=UTC),
            ),
        )
    ]
