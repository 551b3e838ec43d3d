"""The unit tests of the dbt models, each as a case of its own.

They run once, on a database in which everything is built out of no exports.
"""

from collections.abc import Iterator

import pytest
import yaml

from include.building.dbt import Dbt, NodeOutcome
from include.embedded.postgres import EmbeddedPostgres
from include.settings import PROJECT_FOLDER
from tests.conftest import open_database, settings_of

# Fewer than this, and the search for them has gone wrong.
AT_LEAST = 40


def find_unit_tests() -> list[str]:
    """The names of all unit tests, as the models' YAML files declare them."""
    names = []
    for path in sorted((PROJECT_FOLDER / "dbt_project/models").rglob("*.yml")):
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        names += [test["name"] for test in declared.get("unit_tests", [])]
    return names


UNIT_TESTS = find_unit_tests()


@pytest.fixture(scope="module")
def outcomes(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, NodeOutcome]]:
    """How each unit test ended, by its name."""
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, tmp_path_factory.mktemp("landing"))
        found = Dbt(settings).test_units()
        yield {outcome.name: outcome for outcome in found}


def test_every_declared_unit_test_runs(outcomes):
    assert len(UNIT_TESTS) >= AT_LEAST
    assert sorted(outcomes) == sorted(UNIT_TESTS)


@pytest.mark.parametrize("name", UNIT_TESTS)
def test_unit(name, outcomes):
    outcome = outcomes[name]
    assert outcome.status == "pass", outcome.message
