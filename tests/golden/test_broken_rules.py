"""Breaking a rule of the models makes the unit tests fail that guard it.

`broken_rules/*.yml` lists replacements of text: {file, old, new, fails: [unit tests]}.
They are made in a copy of the dbt project. A model is broken in a twin of its own, with
twins of the unit tests, so that no rule hides another and one run serves them all. What
is no model (a macro, a seed) is broken in the copy itself, in as many rounds as it
takes never to break two such rules that one unit test guards, nor one file twice.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from include.building.dbt import Dbt
from include.embedded.postgres import EmbeddedPostgres
from include.settings import PROJECT_FOLDER, Settings
from tests.conftest import open_database, settings_of
from tests.nights import execute

RULES_FOLDER = PROJECT_FOLDER / "tests/golden/broken_rules"
MODELS = Path("dbt_project/models")
# Fewer rules than this, and the search for them has gone wrong.
AT_LEAST = 10


@dataclass(frozen=True)
class Rule:
    """One replacement of text, and the unit tests that must then fail."""

    number: int
    file: Path
    old: str
    new: str
    fails: tuple[str, ...]

    @property
    def is_of_a_model(self) -> bool:
        return self.file.suffix == ".sql" and MODELS in self.file.parents

    def break_text(self, text: str) -> str:
        return text.replace(self.old, self.new)


def read_rules() -> list[Rule]:
    declared = [
        rule
        for path in sorted(RULES_FOLDER.glob("*.yml"))
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    return [
        Rule(
            number,
            Path(rule["file"]),
            rule["old"],
            rule["new"],
            tuple(rule["fails"]),
        )
        for number, rule in enumerate(declared)
    ]


RULES = read_rules()
CASES = [
    pytest.param(rule, name, id=f"{rule.file.stem}-{rule.old.strip()[:40]}-{name}")
    for rule in RULES
    for name in rule.fails
]


def plan_rounds() -> list[list[Rule]]:
    """All rules of models; then the others, in rounds in which none hides another."""
    rounds: list[list[Rule]] = []
    for rule in RULES:
        if rule.is_of_a_model:
            continue
        for others in rounds:
            if all(
                rule.file != other.file and not set(rule.fails) & set(other.fails)
                for other in others
            ):
                others.append(rule)
                break
        else:
            rounds.append([rule])
    return [[rule for rule in RULES if rule.is_of_a_model], *rounds]


def read_unit_tests(project: Path) -> dict[str, dict]:
    """The declarations of all unit tests, by name."""
    return {
        test["name"]: test
        for path in sorted((project / MODELS).rglob("*.yml"))
        for test in yaml.safe_load(path.read_text(encoding="utf-8")).get(
            "unit_tests", []
        )
    }


def break_rules(project: Path, rules: list[Rule]) -> dict[str, tuple[int, str]]:
    """Break the rules in the copy; returns the rule and the unit test that stand
    behind the name of each unit test to run."""
    declared = read_unit_tests(project)
    to_run = {}
    twins = []
    for rule in rules:
        broken = rule.break_text((project / rule.file).read_text(encoding="utf-8"))
        if not rule.is_of_a_model:
            (project / rule.file).write_text(broken, encoding="utf-8")
            to_run |= {name: (rule.number, name) for name in rule.fails}
            continue
        twin = f"broken_{rule.number}"
        path = project / MODELS / "broken" / f"{twin}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(broken, encoding="utf-8")
        for place, name in enumerate(rule.fails):
            test = declared[name]
            assert test["model"] == rule.file.stem, f"{name} tests {test['model']}"
            twins.append({**test, "name": f"{twin}_{place}", "model": twin})
            to_run[f"{twin}_{place}"] = (rule.number, name)
    if twins:
        (project / MODELS / "broken/broken.yml").write_text(
            yaml.safe_dump({"version": 2, "unit_tests": twins}, allow_unicode=True),
            encoding="utf-8",
        )
    return to_run


@pytest.fixture(scope="module")
def outcomes(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[int, str], str]]:
    """How each unit test ended with its rule broken, by the rule's number and name."""
    found = {}
    with open_database(postgres_server, template=built_template) as url:
        for rules in plan_rounds():
            folder = tmp_path_factory.mktemp("broken")
            settings = copy_project(settings_of(url, folder), folder)
            to_run = break_rules(settings.project_folder, rules)
            create_tables_of_twins(settings, rules)
            select = " ".join(f"unit_test:{name}" for name in to_run)
            # Each round reads its project anew: dbt keeps what it has read per folder.
            for outcome in Dbt(settings).test_units(select):
                found[to_run[outcome.name]] = outcome.status
        yield found


def create_tables_of_twins(settings: Settings, rules: list[Rule]) -> None:
    """Give each twin that reads its own rows a table: dbt asks it for its columns."""
    declared = read_unit_tests(settings.project_folder)
    for rule in rules:
        inputs = [
            given["input"] for name in rule.fails for given in declared[name]["given"]
        ]
        if rule.is_of_a_model and "this" in inputs:
            execute(
                settings,
                f"create table warehouse.broken_{rule.number}"
                f" (like warehouse.{rule.file.stem});"
                f" grant select on warehouse.broken_{rule.number} to public",
            )


def copy_project(settings: Settings, folder: Path) -> Settings:
    """Settings on a copy of the dbt project that has not been read yet."""
    shutil.copytree(PROJECT_FOLDER / "dbt_project", folder / "dbt_project")
    return replace(settings, project_folder=folder, report_folder=folder / "report")


def test_there_are_rules_to_break():
    assert len(RULES) >= AT_LEAST


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.number}-{rule.file}")
def test_a_rule_stands_once_in_its_file(rule):
    text = (PROJECT_FOLDER / rule.file).read_text(encoding="utf-8")
    assert text.count(rule.old) == 1
    assert rule.break_text(text) != text
    assert rule.fails


@pytest.mark.parametrize(("rule", "name"), CASES)
def test_a_broken_rule_is_noticed(rule, name, outcomes):
    # An error would only say that the broken text is no SQL.
    assert outcomes[rule.number, name] == "fail"
