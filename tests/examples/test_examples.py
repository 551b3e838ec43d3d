"""The examples: seeds of three trades that hold together, over the same code."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports import write_sample_exports
from include.sample_exports.parameters import SampleParameters
from include.seeds import list_seeds
from include.settings import PROJECT_FOLDER, Settings, connect, read_settings
from tests.conftest import open_database, settings_of

TRADES = ("bank", "retail", "telecom")
# What a company says anew; other seeds may stay as they are.
OWN_SEEDS = {
    *("journey_stages", "touchpoints", "touchpoint_rules", "owner_areas"),
    *("surveys", "survey_questions", "targets"),
    *("cause_rules", "resolution_questions"),
    *("complaint_themes", "improvement_actions"),
}
SAMPLE = SampleParameters(customers=100, nights=7, seed=5)

Rows = list[dict[str, str]]


def read_seeds(settings: Settings) -> dict[str, Rows]:
    """The rows of all seeds, by the name of the seed."""
    seeds = {}
    for name, path in list_seeds(settings).items():
        with path.open(encoding="utf-8", newline="") as file:
            seeds[name] = list(csv.DictReader(file))
    return seeds


def find_faults(seeds: dict[str, Rows]) -> list[str]:
    """What does not hold together, in words."""
    stages = {row["journey_stage"] for row in seeds["journey_stages"]}
    touchpoints = {row["touchpoint"] for row in seeds["touchpoints"]}
    surveys = {row["survey_id"]: row["survey_kind"] for row in seeds["surveys"]}
    known = {
        "journey_stage": stages,
        "channel": {row["channel"] for row in seeds["channels"]},
        "environment": {"digital", "physical"},
        "owner_area": {row["owner_area"] for row in seeds["owner_areas"]},
    }
    faults = [
        f"touchpoint {row['touchpoint']}: no {column} {row[column]}"
        for row in seeds["touchpoints"]
        for column, values in known.items()
        if row[column] not in values
    ]
    faults += [
        f"rule {row['priority']}: no touchpoint {row['touchpoint']}"
        for row in seeds["touchpoint_rules"]
        if row["touchpoint"] not in touchpoints
    ]
    faults += [
        f"no rule finds {touchpoint}"
        for touchpoint in touchpoints
        - {row["touchpoint"] for row in seeds["touchpoint_rules"]}
    ]
    faults += [
        f"no touchpoint is in stage {stage}"
        for stage in stages - {row["journey_stage"] for row in seeds["touchpoints"]}
    ]
    faults += [
        f"survey {row['survey_id']}: no stage {row['registered_stage']}"
        for row in seeds["surveys"]
        if row["registered_stage"] not in {"", *stages}
    ]
    faults += [
        f"question {row['question_id']}: no survey {row['survey_id']}"
        for row in seeds["survey_questions"]
        if row["survey_id"] not in surveys
    ]
    faults += [
        f"theme {row['theme']}: no {column} {row[column]}"
        for row in seeds["complaint_themes"]
        for column in ("owner_area", "journey_stage")
        if row[column] not in known[column]
    ]
    themes = {row["theme"] for row in seeds["complaint_themes"]}
    faults += [
        f"action {row['action_id']}: no {column} {row[column]}"
        for row in seeds["improvement_actions"]
        for column, values in (
            ("theme", themes),
            ("owner_area", known["owner_area"]),
            ("journey_stage", {"", *stages}),
        )
        if row[column] not in values
    ]
    faults += [
        f"rule of {row['theme']}: no such theme"
        for row in seeds["theme_rules"]
        if row["theme"] not in themes
    ]
    faults += [
        f"cause {row['priority']}: no touchpoint {row['cause_touchpoint']}"
        for row in seeds["cause_rules"]
        if row["cause_touchpoint"] not in touchpoints
    ]
    faults += [
        f"cause {row['priority']}: no owner_area {row['cause_area']}"
        for row in seeds["cause_rules"]
        if row["cause_area"] not in {"", *known["owner_area"]}
    ]
    questions = {
        (row["survey_id"], row["question_id"]) for row in seeds["survey_questions"]
    }
    faults += [
        f"resolution: no question {row['question_id']} of {row['survey_id']}"
        for row in seeds["resolution_questions"]
        if (row["survey_id"], row["question_id"]) not in questions
    ]
    asked = {
        (question["metric"], surveys.get(question["survey_id"]))
        for question in seeds["survey_questions"]
    }
    for row in seeds["targets"]:
        metric = "ces" if row["metric"] == "easy_share" else row["metric"]
        values = {"journey_stage": stages, "survey": surveys}.get(row["breakdown"])
        if (metric, row["survey_kind"]) not in asked:
            faults.append(f"target of {metric}: no survey asks it")
        if values is not None and row["breakdown_value"] not in values:
            faults.append(f"target: no {row['breakdown']} {row['breakdown_value']}")
    lanes = [row["lane"] for row in seeds["journey_stages"]]
    if set(lanes) != {"buying", "owning", "support"}:
        faults.append("the stages are not in all three lanes")
    return faults


def settings_of_trade(trade: str) -> Settings:
    """What the example's own settings file says."""
    text = (PROJECT_FOLDER / "examples" / trade / "settings.env").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return read_settings(
        {
            "CX_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "CX_LANDING_URL": "nowhere",
            "CX_KEY_SECRET": "x" * 32,
            "CX_REPORT_FOLDER": "report",
            **dict(line.split("=", 1) for line in lines),
        }
    )


def test_every_example_is_tested() -> None:
    folders = (path for path in (PROJECT_FOLDER / "examples").iterdir())
    assert sorted(path.name for path in folders if path.is_dir()) == sorted(TRADES)


@pytest.mark.parametrize("trade", TRADES)
def test_the_seeds_of_an_example_hold_together(trade: str) -> None:
    settings = settings_of_trade(trade)
    assert settings.seeds_folder is not None
    assert {path.stem for path in settings.seeds_folder.glob("*.csv")} >= OWN_SEEDS
    assert find_faults(read_seeds(settings)) == []


@pytest.mark.parametrize(
    ("seed", "column", "fault"),
    [
        ("touchpoints", "journey_stage", "touchpoint campaign_mail: no journey_stage"),
        ("touchpoints", "channel", "touchpoint campaign_mail: no channel"),
        ("touchpoints", "environment", "touchpoint campaign_mail: no environment"),
        ("touchpoints", "owner_area", "touchpoint campaign_mail: no owner_area"),
        ("touchpoint_rules", "touchpoint", "rule 10: no touchpoint"),
        ("complaint_themes", "owner_area", "theme account_access: no owner_area"),
        ("improvement_actions", "owner_area", "action 1: no owner_area"),
        ("complaint_themes", "theme", "rule of account_access: no such theme"),
        ("surveys", "registered_stage", "survey SV_BANK_NPS: no stage"),
        ("survey_questions", "survey_id", "question Q_NPS: no survey"),
        ("targets", "metric", "target of nowhere: no survey asks it"),
        ("cause_rules", "cause_touchpoint", "cause 10: no touchpoint nowhere"),
        ("cause_rules", "cause_area", "cause 10: no owner_area nowhere"),
        ("resolution_questions", "question_id", "resolution: no question nowhere"),
    ],
)
def test_a_seed_that_names_what_there_is_not_is_noticed(
    seed: str, column: str, fault: str
) -> None:
    seeds = read_seeds(settings_of_trade("bank"))
    seeds[seed][0][column] = "nowhere"
    assert any(words.startswith(fault) for words in find_faults(seeds))


@pytest.fixture(scope="module")
def retail(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, list[str]]]:
    """A warehouse of the retail seeds on a sample company's exports; its problems."""
    from include.backfill.run import run_backfill

    landing: Path = tmp_path_factory.mktemp("retail")
    write_sample_exports(landing, SAMPLE)
    with open_database(postgres_server, template=built_template) as url:
        settings = replace(
            settings_of(url, landing),
            seeds_folder=settings_of_trade("retail").seeds_folder,
            # dbt reads the project anew for other seeds: not in a folder others use.
            report_folder=tmp_path_factory.mktemp("report"),
        )
        outcome = run_backfill(
            settings, SAMPLE.first_night, SAMPLE.last_night, "retail", lambda line: None
        )
        yield settings, outcome.problems


@pytest.mark.slow
def test_a_warehouse_of_an_examples_seeds_passes_every_test(
    retail: tuple[Settings, list[str]],
) -> None:
    settings, problems = retail
    assert problems == []
    own = [row["journey_stage"] for row in read_seeds(settings)["journey_stages"]]
    with connect(settings) as connection:
        published = connection.execute(
            "select journey_stage from marts.dim_journey_stages"
            " where journey_stage = any(%s) order by stage_order",
            [own],
        ).fetchall()
        touched = connection.execute(
            "select count(distinct touchpoints.journey_stage), count(*)"
            " filter (where touches.touchpoint is null) from marts.fct_touchpoints"
            " as touches inner join marts.dim_touchpoints as touchpoints"
            " on touchpoints.touchpoint = touches.touchpoint"
        ).fetchone()
    assert [stage for (stage,) in published] == own
    assert touched is not None
    assert touched[0] >= 6
