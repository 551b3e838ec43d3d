"""A changed model is built anew, and what reads it; nothing else is."""

import shutil
from dataclasses import replace
from pathlib import Path

from include.building import builds
from include.settings import Settings
from tests.nights import fetch

CHANGED = "fct_survey_invitations"


def find_files_of_tables(settings: Settings) -> dict[str, int]:
    """The file of each table of the warehouse: another one when it is made anew."""
    return dict(
        fetch(
            settings,
            "select relname, relfilenode::bigint from pg_class where relkind = 'r'"
            " and relnamespace = 'warehouse'::regnamespace",
        )
    )


def find_readers(nodes: dict[str, set[str]], name: str) -> set[str]:
    """A model with all that reads it, directly or not."""
    found = {name}
    while new := {node for node, reads in nodes.items() if reads & found} - found:
        found |= new
    return found


def read_references(project: Path) -> dict[str, set[str]]:
    """Which models each model names, as its SQL says."""
    files = list((project / "models").rglob("*.sql"))
    names = {file.stem for file in files}
    return {
        file.stem: {name for name in names if f"ref('{name}')" in file.read_text()}
        for file in files
    }


def test_a_changed_model_is_built_anew_and_what_reads_it_and_nothing_else(
    warehouse: Settings, tmp_path: Path
) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(
        warehouse.project_folder / "dbt_project",
        project,
        ignore=shutil.ignore_patterns("target", "logs"),
    )
    (file,) = project.rglob(f"{CHANGED}.sql")
    file.write_text(file.read_text() + "\nwhere true\n")
    before = find_files_of_tables(warehouse)

    settings = replace(warehouse, project_folder=tmp_path, report_folder=tmp_path)
    built = builds.build(settings, "upgrade", with_tests=False)

    after = find_files_of_tables(warehouse)
    assert after.keys() == before.keys()
    expected = find_readers(read_references(project), CHANGED)
    assert len(expected) > 5
    anew = {name for name in before if before[name] != after[name]}
    assert anew == expected & before.keys()
    told = fetch(
        warehouse,
        "select model from audit.model_runs where build_id = %s and is_whole",
        built.build_id,
    )
    assert {name for (name,) in told} & before.keys() == anew
