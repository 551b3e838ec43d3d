"""What dbt keeps of an earlier parse, and what it must not keep."""

import shutil
from dataclasses import replace
from pathlib import Path

from dbt.adapters.base.impl import DEFAULT_BASE_BEHAVIOR_FLAGS

from include.building.dbt import Dbt
from include.building.model_fingerprints import read_nodes
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


def test_a_run_leaves_no_more_flags_behind_than_the_run_before(
    settings: Settings,
) -> None:
    """dbt walks the stack for each of them, in every run: nights would take longer and
    longer in a process that builds many."""
    dbt = Dbt(settings)
    left = []
    for _ in range(3):
        dbt.parse()
        left.append(len(DEFAULT_BASE_BEHAVIOR_FLAGS))
    assert left[0] == left[1] == left[2]


def test_what_a_source_declares_changes_the_views_that_say_it(
    settings: Settings, tmp_path: Path
) -> None:
    """Else the reviews of another language would keep the old one."""
    project = tmp_path / "project"
    shutil.copytree(settings.project_folder / "dbt_project", project / "dbt_project")
    settings = replace(
        settings,
        project_folder=project,
        report_folder=tmp_path / "reports",
        sources=("restaurant_reviews", "shop_reviews"),
    )

    def read_fingerprints() -> dict[str, str]:
        nodes = read_nodes(Dbt(settings).parse(), {})
        return {node.name: node.fingerprint for node in nodes}

    before = read_fingerprints()
    staging = project / "dbt_project/models/staging"
    for system, old, new in (
        ("restaurant_reviews", "language: es", "language: pt"),
        # Whom to ask is nothing that views say.
        ("shop_reviews", "owner: customer research", "owner: others"),
    ):
        declaration = staging / system / f"_{system}__sources.yml"
        text = declaration.read_text()
        assert old in text
        declaration.write_text(text.replace(old, new))
    after = read_fingerprints()
    changed = {name for name in before if before[name] != after[name]}
    assert "stg_restaurant_reviews__reviews" in changed
    assert {"int_reviews", "fct_reviews"} <= changed
    assert "stg_shop_reviews__reviews" not in changed
    assert "int_survey_answers" not in changed
