"""Seeds: a company's own files replace the project's, and nothing else does."""

from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import SettingsError
from include.seeds import SEEDS_FOLDER, gather_seeds, list_seeds
from include.settings import PROJECT_FOLDER, Settings

PROJECT_SEEDS = PROJECT_FOLDER / SEEDS_FOLDER
AREAS = "owner_area,description\nclaims,Claims\n"


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    return Settings(
        database_url="postgresql://nobody@127.0.0.1:1/none",
        landing_url="nowhere",
        key_secret="x" * 32,
        reporting_time_zone="America/Sao_Paulo",
        report_folder=tmp_path / "report",
    )


@pytest.fixture
def own(plain: Settings, tmp_path: Path) -> Settings:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "owner_areas.csv").write_text(AREAS)
    return replace(plain, seeds_folder=folder)


def test_without_a_folder_the_seeds_are_the_projects(plain: Settings) -> None:
    assert set(list_seeds(plain).values()) == set(PROJECT_SEEDS.glob("*.csv"))


def test_a_file_of_the_folder_replaces_the_seed_of_its_name(own: Settings) -> None:
    assert own.seeds_folder is not None
    seeds = list_seeds(own)
    assert seeds["owner_areas"] == own.seeds_folder / "owner_areas.csv"
    assert seeds["channels"] == PROJECT_SEEDS / "channels.csv"


def test_what_is_gathered_for_dbt_follows_the_folder(
    own: Settings, tmp_path: Path
) -> None:
    assert own.seeds_folder is not None
    folder = gather_seeds(own, tmp_path / "gathered")
    assert (folder / "owner_areas.csv").read_text() == AREAS
    names = {path.name for path in PROJECT_SEEDS.iterdir()}
    assert {path.name for path in folder.iterdir()} == names
    (own.seeds_folder / "owner_areas.csv").write_text(AREAS + "fraud,Fraud\n")
    (folder / "gone.csv").write_text("a\n")
    gather_seeds(own, folder)
    assert (folder / "owner_areas.csv").read_text().endswith("fraud,Fraud\n")
    assert not (folder / "gone.csv").exists()


def test_a_file_that_replaces_no_seed_is_refused(own: Settings) -> None:
    assert own.seeds_folder is not None
    (own.seeds_folder / "owner_area.csv").write_text(AREAS)
    with pytest.raises(SettingsError, match=r"owner_area\.csv replaces no seed: use"):
        list_seeds(own)


def test_a_file_of_other_columns_is_refused(own: Settings) -> None:
    assert own.seeds_folder is not None
    (own.seeds_folder / "owner_areas.csv").write_text("owner_area;description\n")
    with pytest.raises(SettingsError, match=r"write owner_area,description into"):
        list_seeds(own)


def test_a_folder_without_a_seed_is_refused(own: Settings) -> None:
    assert own.seeds_folder is not None
    (own.seeds_folder / "owner_areas.csv").unlink()
    with pytest.raises(SettingsError, match="holds no CSV file"):
        list_seeds(own)
