"""The seeds of a warehouse: the project's own, some of them replaced by a company's.

In: `Settings`. Out: the file that holds each seed, and for dbt one folder with all of
them. CX_SEEDS names a folder of CSV files; each takes the place of the project's seed
of its name, whole, and has the same columns.
"""

import csv
import shutil
from pathlib import Path

from include.errors import SettingsError
from include.settings import Settings

SEEDS_FOLDER = Path("dbt_project/seeds")


def list_seeds(settings: Settings) -> dict[str, Path]:
    """Return the file of each seed, by the seed's name.

    Raises SettingsError: a file of the company's folder that replaces no seed, or that
    has other columns than the seed that it replaces.
    """
    seeds = {
        path.stem: path
        for path in sorted((settings.project_folder / SEEDS_FOLDER).glob("*.csv"))
    }
    if settings.seeds_folder is None:
        return seeds
    own = {path.stem: path for path in sorted(settings.seeds_folder.glob("*.csv"))}
    if not own:
        raise SettingsError(
            f"CX_SEEDS is {settings.seeds_folder}, which holds no CSV file: name the"
            " folder whose files replace seeds of the same name."
        )
    for name, path in own.items():
        if name not in seeds:
            raise SettingsError(
                f"CX_SEEDS: {path} replaces no seed: use the names of"
                f" {SEEDS_FOLDER}: {', '.join(seeds)}."
            )
        wanted, found = _read_header(seeds[name]), _read_header(path)
        if found != wanted:
            raise SettingsError(
                f"CX_SEEDS: the columns of {path} are {', '.join(found)}: write"
                f" {','.join(wanted)} into its first line."
            )
    return seeds | own


def gather_seeds(settings: Settings, folder: Path) -> Path:
    """Bring all seeds and their declarations into one folder; return it.

    What is there already is not written again: another build may be reading it.
    """
    project = settings.project_folder / SEEDS_FOLDER
    wanted = [*list_seeds(settings).values(), *project.glob("*.yml")]
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in folder.iterdir()} - {p.name for p in wanted}:
        (folder / stale).unlink()
    for path in wanted:
        target = folder / path.name
        if not target.exists() or target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)
    return folder


def _read_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])
