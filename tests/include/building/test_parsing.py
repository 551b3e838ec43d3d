"""What dbt keeps of an earlier parse, and what it must not keep."""

import shutil
from dataclasses import replace
from pathlib import Path

from include.building.dbt import Dbt
from include.settings import Settings


def test_a_macro_that_changes_reaches_the_configs_that_call_it(
    settings: Settings, tmp_path: Path
) -> None:
    """A night with the marks of the old code would leave sums as they were."""
    project = tmp_path / "project"
    shutil.copytree(settings.project_folder / "dbt_project", project / "dbt_project")
    settings = replace(
        settings, project_folder=project, report_folder=tmp_path / "reports"
    )

    def read_mark() -> str:
        manifest = Dbt(settings).parse()
        model = manifest.nodes["model.customer_experience.fct_survey_responses"]
        (mark,) = (
            mark["scored_answer"]
            for mark in model.config.meta["marks"]
            if "scored_answer" in mark
        )
        return str(mark)

    assert "is_counted and metric <> 'driver'" in read_mark()
    macros = project / "dbt_project" / "macros" / "scores.sql"
    text = macros.read_text()
    changed = text.replace(
        "when is_counted and metric <> 'driver'", "when is_counted and metric <> 'new'"
    )
    assert changed != text
    macros.write_text(changed)
    assert "is_counted and metric <> 'new'" in read_mark()
