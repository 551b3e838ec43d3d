"""docs/runbook.md: an entry for every kind of incident, and checks that can be run."""

import re

import pytest

from include.audit import migrate
from include.incidents.kinds import KINDS
from include.settings import PROJECT_FOLDER, Settings, connect

RUNBOOK = (PROJECT_FOLDER / "docs/runbook.md").read_text("utf-8")
ALERTS = RUNBOOK.partition("\n## Alerts\n")[2].partition("\n## ")[0]
ENTRIES = dict(
    re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", ALERTS, re.MULTILINE | re.DOTALL)
)
SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def test_every_kind_of_incident_has_its_entry_and_every_entry_its_kind() -> None:
    assert list(ENTRIES) == [kind.title for kind in KINDS]


def test_links_of_messages_lead_to_the_entries() -> None:
    # As the pages of a repository make anchors of headings.
    anchors = {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
        for title in ENTRIES
    }
    assert anchors == {kind.anchor for kind in KINDS}


@pytest.mark.parametrize("title", [kind.title for kind in KINDS])
def test_an_entry_says_what_is_seen_what_to_look_at_and_what_to_do(title: str) -> None:
    entry = ENTRIES[title]
    for part in ("**Symptom.**", "**Check.**", "**Fix.**"):
        assert part in entry
    assert SQL.search(entry), "a check is a query"


def test_every_query_can_be_run(settings: Settings) -> None:
    queries = SQL.findall(RUNBOOK)
    assert len(queries) > len(KINDS)
    with connect(settings) as connection:
        migrate(connection)
        for query in queries:
            connection.execute(query)


def test_every_command_is_there() -> None:
    makefile = (PROJECT_FOLDER / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", RUNBOOK))
    assert named
    assert named <= targets
