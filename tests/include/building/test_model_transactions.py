"""A model is built in one transaction, its record and its settings with it."""

from include.settings import PROJECT_FOLDER
from tests.conftest import open_database, settings_of
from tests.nights import fetch


def test_a_model_and_its_record_come_of_one_transaction(
    postgres_server, built_template, tmp_path
):
    with open_database(postgres_server, template=built_template) as url:
        # Which transaction made the table, and which wrote its record.
        models = fetch(
            settings_of(url, tmp_path),
            "select models.model, pg_class.xmin = models.xmin"
            " from audit.models inner join pg_class"
            "  on pg_class.relname = models.model"
            "  and pg_class.relnamespace = 'warehouse'::regnamespace"
            " where models.built_fingerprint is not null and pg_class.relkind = 'r'",
        )
    seeds = {
        path.stem for path in (PROJECT_FOLDER / "dbt_project/seeds").rglob("*.csv")
    }
    assert len(models) > len(seeds) + 30
    assert [
        model for model, is_one in models if not is_one and model not in seeds
    ] == []
