"""How fresh each source is: read from ``marts.data_status``, and said in words.

In: a connection to the warehouse. Out: a `SourceStatus` per source, and its remarks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from include.contracts import INSTANCE_MARK
from include.scorecard.scores import is_published
from include.scorecard.words import say_count

SOURCE_NAMES = {
    "hubspot": "HubSpot",
    "qualtrics": "Qualtrics",
    "zendesk": "Zendesk",
    "surveymonkey": "SurveyMonkey",
    "typeform": "Typeform",
    "google_forms": "Google Forms",
    "restaurant_reviews": "Restaurant reviews",
    "shop_reviews": "Shop reviews",
    "reclameaqui": "Reclame Aqui",
    "servicenow": "ServiceNow",
    "zendesk_tables": "Zendesk (tables)",
    "olist": "Olist",
    "salesforce": "Salesforce",
    "telco": "Telco",
}
ROLE_NAMES = {"crm": "customers", "survey": "surveys", "ticket": "tickets"}


@dataclass(frozen=True)
class SourceStatus:
    """How fresh one source is; counts are those of the last build."""

    source: str
    role: str
    as_of_date: date | None
    rows_rejected: int
    rows_quarantined: int
    held_loads: int
    failed_feeds: int
    last_failure: str | None
    published_at: datetime | None
    rolled_back_at: datetime | None
    is_behind: bool


def read_sources(connection: psycopg.Connection) -> Sequence[SourceStatus]:
    """Read the state of every source; none before the first publish."""
    if not is_published(connection, "data_status"):
        return []
    query = """
        select
            source,
            role,
            as_of_date,
            coalesce(rows_rejected, 0) as rows_rejected,
            coalesce(rows_quarantined, 0) as rows_quarantined,
            coalesce(held_loads, 0) as held_loads,
            coalesce(failed_feeds, 0) as failed_feeds,
            last_failure,
            published_at,
            rolled_back_at,
            as_of_date is null or as_of_date < max(as_of_date) over () as is_behind
        from marts.data_status
        order by role, source
        """
    with connection.cursor(row_factory=class_row(SourceStatus)) as cursor:
        return cursor.execute(query).fetchall()


def say_source(source: SourceStatus) -> str:
    """The source and what comes from it."""
    system, _, instance = source.source.partition(INSTANCE_MARK)
    name = SOURCE_NAMES.get(system, system) + (f", {instance}" if instance else "")
    if source.source.startswith("("):
        name = "No source"
    return f"{name} ({ROLE_NAMES.get(source.role, source.role)})"


def describe_troubles(source: SourceStatus) -> list[str]:
    """What is wrong with a source now; empty when nothing is."""
    if source.source.startswith("("):
        return ["None is switched on: what rests on it is empty."]
    notes = []
    if source.as_of_date is None:
        notes.append("No whole day has arrived yet.")
    elif source.is_behind:
        notes.append("Behind the other sources; scores stop at its date.")
    if source.failed_feeds:
        notes.append(
            f"{say_count(source.failed_feeds, 'export')} could not be read"
            + (f": {source.last_failure}" if source.last_failure else ".")
        )
    if source.held_loads:
        notes.append(
            f"{say_count(source.held_loads, 'delivery', 'deliveries')} held back,"
            " because something looked wrong; the data before stays in force."
        )
    return notes


def describe_losses(source: SourceStatus) -> list[str]:
    """What had to be set aside so far, as one remark."""
    losses = [
        f"{say_count(rows, 'row')} could not be {deed}"
        for rows, deed in (
            (source.rows_rejected, "read"),
            (source.rows_quarantined, "understood"),
        )
        if rows
    ]
    return [f"{' and '.join(losses)}: kept aside, not counted."] if losses else []
