"""A backfill of one night whose exports changed, from the files to the marts."""

import csv
from dataclasses import replace
from datetime import timedelta

from include.backfill.run import run_backfill
from include.building.publish import verify_published
from include.sample_exports import write_sample_exports
from include.settings import Settings
from tests.conftest import PUBLISHED_SAMPLE
from tests.nights import fetch, find_file

OLD = PUBLISHED_SAMPLE.first_night + timedelta(days=9)

HEADER_ROWS = 3

CHANGED = (
    "select model, count(*) filter (where change = 'deleted'),"
    " count(*) filter (where change = 'inserted') from audit.published_changes"
    " inner join audit.publishes using (publish_id) where run_id = %s"
    " group by model order by model"
)


def drop_last_answer(settings: Settings) -> None:
    """Take the last answer out of one survey's export of an old night."""
    export = find_file(settings, "qualtrics.responses", OLD, "SV_CSAT_SUPPORT*")
    with export.open(encoding="utf-8", newline="") as file:
        *rows, last = csv.reader(file)
    assert len(rows) > HEADER_ROWS, last
    with export.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_a_corrected_night_is_told_before_it_is_published_and_a_broken_feed_stops_none(
    published: Settings,
) -> None:
    write_sample_exports(
        published.landing_url, replace(PUBLISHED_SAMPLE, rows_only=True)
    )
    drop_last_answer(published)
    find_file(published, "hubspot.deals", OLD).write_text("Some other column\n1\n")
    lines: list[str] = []

    outcome = run_backfill(
        published,
        OLD,
        OLD,
        "backfill",
        lines.append,
        sources=("hubspot", "qualtrics"),
        with_tests=False,
    )

    (problem,) = outcome.problems
    assert f"hubspot.deals of {OLD}" in problem
    assert any(line.startswith("qualtrics.responses: 1 nights") for line in lines)
    assert not any("zendesk" in line for line in lines), "it was not chosen"
    assert list(outcome.seconds) == [
        *("extract", "gate_1", "build", "gate_2", "compare", "publish")
    ]
    # What it told, mart by mart, is what the publish then did.
    told = {
        line.split(": ")[1]: line.split(": ")[2]
        for line in lines
        if line.startswith("compare: ") and "rows out" in line
    }
    assert told == {
        model: f"{rows_out:,} rows out, {rows_in:,} rows in"
        for model, rows_out, rows_in in fetch(published, CHANGED, "backfill")
    }
    assert "experience_scores" in told
    last_told = max(n for n, line in enumerate(lines) if line.startswith("compare: "))
    assert last_told < lines.index(
        next(line for line in lines if line.startswith("publish: "))
    )
    (closed,) = (line for line in lines if "figures of closed periods will" in line)
    ((figures,),) = fetch(
        published,
        "select count(*) from marts.restatements where run_id = 'backfill'",
    )
    assert figures > 0
    assert closed.startswith(f"compare: {figures:,} figures of closed periods will")
    assert verify_published(published) == {}

    # The same again finds nothing to do, and still names the broken feed.
    lines.clear()
    again = run_backfill(published, OLD, OLD, "again", lines.append, with_tests=False)
    assert again.problems == [problem]
    assert "compare: nothing changes for readers" in lines
    assert fetch(published, CHANGED, "again") == []
