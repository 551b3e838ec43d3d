"""Gate 1: did the source send what its contract says?

One rule per line of trust, over the load profiles (``audit.load_profiles``) of all the
loads that wait: here the rules of rows, dates and keys, in ``raw_contents.py`` those of
values. A load that breaks a critical rule is held, the others are accepted; a
warning is shown. A metric that is null says nothing: it is never a failure.
"""

from expectations.raw_contents import CONTENT_RULES
from expectations.rules import Rule
from expectations.words import ASK, LARGEST_BROKEN_SHARE, OR_ACCEPT, SEND_AGAIN

# A snapshot with a smaller share of the keys of the one before it is no shrunken list
# but a cut-off file.
SMALLEST_SNAPSHOT_RATIO = 0.6

SUITE = "raw"

STRUCTURE_RULES = (
    # Is it whole?
    Rule(
        name="every loaded row is in the raw table",
        column="rows_missing_in_raw",
        severity="critical",
        minimum=0,
        maximum=0,
        observed="{rows_in_raw:,} of {rows_loaded:,} loaded rows are in the raw table",
        expected="all of them",
        remedy="load the date again",
    ),
    Rule(
        name="hardly any row is unreadable",
        column="proven_rejected_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed="{rows_rejected:,} of {rows_in_file:,} rows could not be read",
        expected="at most 5 %, beyond chance",
        remedy=f"read the reasons in audit.rejects, then {SEND_AGAIN}",
    ),
    Rule(
        name="no row is unreadable",
        column="rejected_share",
        severity="warning",
        maximum=0,
        observed="{rows_rejected:,} of {rows_in_file:,} rows could not be read",
        expected="none",
        remedy="read the reasons in audit.rejects",
    ),
    Rule(
        name="hardly any row lacks its natural key",
        column="proven_without_key_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed="{rows_without_key:,} of {rows_in_raw:,} rows have no natural key",
        expected="at most 5 %, beyond chance",
        remedy=SEND_AGAIN,
    ),
    Rule(
        name="no row lacks its natural key",
        column="without_key_share",
        severity="warning",
        maximum=0,
        observed="{rows_without_key:,} of {rows_in_raw:,} rows have no natural key",
        expected="none; they are set aside",
        remedy="tell the owner of the source",
    ),
    Rule(
        name="no required column is suddenly empty",
        column="fill_drop",
        severity="critical",
        maximum=0.95,
        observed=(
            "column {emptied_column} lacks {fill_drop:.0%} of the values that it had at"
            " the least in the last two weeks"
        ),
        expected="at most 95 % fewer",
        remedy=OR_ACCEPT,
    ),
    Rule(
        name="no required column is suddenly half empty",
        column="fill_drop",
        severity="warning",
        maximum=0.5,
        observed=(
            "column {emptied_column} lacks {fill_drop:.0%} of the values that it had at"
            " the least in the last two weeks"
        ),
        expected="at most half fewer",
        remedy=ASK,
    ),
    Rule(
        name="every column is declared",
        column="undeclared_columns",
        severity="warning",
        maximum=0,
        observed="{undeclared_columns:,} columns are not declared in the contract",
        expected="none; their values are kept in _extra",
        remedy="read audit.drift and declare them",
    ),
    # Is it all of it?
    Rule(
        name="a snapshot is not empty",
        column="snapshot_rows",
        severity="critical",
        minimum=1,
        observed="the list is empty",
        expected="at least one row",
        remedy=SEND_AGAIN,
    ),
    Rule(
        name="a snapshot is not cut off",
        column="snapshot_ratio",
        severity="critical",
        minimum=SMALLEST_SNAPSHOT_RATIO,
        observed=(
            "the list has {distinct_keys:,} keys where that of {reference_date} has"
            " {reference_keys:,}"
        ),
        expected=f"at least {SMALLEST_SNAPSHOT_RATIO:.0%} of them",
        remedy=OR_ACCEPT,
    ),
    Rule(
        name="a snapshot neither shrinks nor grows much",
        column="snapshot_ratio",
        severity="warning",
        minimum=0.9,
        maximum=2,
        observed=(
            "the list has {distinct_keys:,} keys where that of {reference_date} has"
            " {reference_keys:,}"
        ),
        expected="90 % to 200 % of them",
        remedy=ASK,
    ),
    Rule(
        name="a busy weekday is not all but empty",
        column="weekday_volume_ratio",
        severity="critical",
        minimum=0.02,
        observed="{rows_loaded:,} rows came where {usual_rows:,.0f} come on such a day",
        expected="at least 2 % of them",
        remedy=OR_ACCEPT,
    ),
    Rule(
        name="the volume is about as usual",
        column="volume_ratio",
        severity="warning",
        minimum=0.25,
        maximum=4,
        observed="{rows_loaded:,} rows came where {usual_rows:,.0f} are usual",
        expected="a quarter to four times as many",
        remedy=ASK,
    ),
    Rule(
        name="a correction does not lose half of what it replaces",
        column="in_force_ratio",
        severity="warning",
        minimum=0.5,
        observed="{rows_loaded:,} rows replace the {in_force_rows:,} in force",
        expected="at least half as many",
        remedy="make sure that the new export is whole",
    ),
    # Is it this day's?
    Rule(
        name="an export is not another date's",
        column="same_content_date",
        severity="critical",
        observed="the files are those of {same_content_date}, byte for byte",
        expected="this date's own",
        remedy=SEND_AGAIN,
    ),
    Rule(
        name="no file tells an earlier date in its name",
        column="misdated_file",
        severity="critical",
        observed="the name {misdated_file} tells another date",
        expected="this date's, as in the nights before",
        remedy=f"put the files into the right date's folder, or {OR_ACCEPT}",
    ),
    Rule(
        name="a long list changes from night to night",
        column="unchanged_since",
        severity="info",
        observed="the list is that of {unchanged_since}, byte for byte",
        expected="some change",
        remedy="make sure that the export ran",
    ),
    Rule(
        name="hardly any row lies in the future",
        column="proven_after_batch_date_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{rows_after_batch_date:,} of {rows_in_raw:,} rows are dated after the"
            " batch date, up to {latest_event_date}"
        ),
        expected="at most 5 %, beyond chance",
        remedy=f"put the files into the right date's folder, or {SEND_AGAIN}",
    ),
    Rule(
        name="no row lies in the future",
        column="after_batch_date_share",
        severity="warning",
        maximum=0,
        observed=(
            "{rows_after_batch_date:,} of {rows_in_raw:,} rows are dated after the"
            " batch date, up to {latest_event_date}"
        ),
        expected="none",
        remedy="check the time zone and the clock of the source",
    ),
    Rule(
        name="most rows are recent",
        column="proven_long_before_share",
        severity="warning",
        maximum=0.5,
        observed=(
            "{rows_long_before_batch_date:,} of {rows_in_raw:,} rows are dated more"
            " than 30 days before the batch date, from {earliest_event_date} on"
        ),
        expected="at most half, beyond chance; a first load may bring its history",
        remedy="check that the files lie in the right date's folder",
    ),
    Rule(
        name="times can be read",
        column="proven_without_event_time_share",
        severity="critical",
        maximum=0.5,
        observed=(
            "{rows_without_event_time:,} of {rows_in_raw:,} rows have no readable time"
        ),
        expected="at most half, beyond chance",
        remedy=SEND_AGAIN,
    ),
    Rule(
        name="nearly all times can be read",
        column="proven_without_event_time_share",
        severity="warning",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{rows_without_event_time:,} of {rows_in_raw:,} rows have no readable time"
        ),
        expected="at most 5 %, beyond chance",
        remedy="tell the owner of the source",
    ),
    # Is each thing there once?
    Rule(
        name="hardly any key comes twice in a snapshot",
        column="proven_snapshot_repeated_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed="{rows_repeating_key:,} of {rows_in_raw:,} rows repeat a natural key",
        expected="at most 5 %, beyond chance",
        remedy=f"look for the same list in two files, then {SEND_AGAIN}",
    ),
    Rule(
        name="no key comes twice in a snapshot",
        column="snapshot_repeated_share",
        severity="warning",
        maximum=0,
        observed="{rows_repeating_key:,} of {rows_in_raw:,} rows repeat a natural key",
        expected="none; the last row of each key counts",
        remedy="tell the owner of the source",
    ),
    Rule(
        name="a delta is not sent twice over",
        column="proven_delta_repeated_share",
        severity="warning",
        maximum=0.4,
        observed="{rows_repeating_key:,} of {rows_in_raw:,} rows repeat a natural key",
        expected="at most 40 %, beyond chance; pages may repeat some",
        remedy="look for the same rows in two files",
    ),
)

RULES = (*STRUCTURE_RULES, *CONTENT_RULES)
# Warnings about how much came: incidents as long as they are about the newest load.
VOLUME_RULES = (
    "a snapshot neither shrinks nor grows much",
    "the volume is about as usual",
)
RULES_BY_NAME = {rule.name: rule for rule in RULES}
METRICS = sorted({rule.column for rule in RULES})
TEXT_METRICS = {
    *("misdated_file", "missing_file"),
    *("same_content_date", "unchanged_since"),
}


def compose_query() -> str:
    """Compose the query of the waiting loads' metrics; its row id is the load id."""
    columns = [
        f"cast(profiles.{metric} as {'text' if metric in TEXT_METRICS else 'float8'})"
        f" as {metric}"
        for metric in METRICS
    ]
    return (
        "select profiles.load_id as row_id, profiles.feed,"
        f" cast(profiles.batch_date as text) as batch_date, {', '.join(columns)}"
        " from audit.load_profiles as profiles"
        " join audit.waiting_loads as loads on loads.load_id = profiles.load_id"
    )
