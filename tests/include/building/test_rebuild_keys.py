"""A model that is rebuilt by keys is told when a model that it reads has changed."""

import re
from pathlib import Path

from include.settings import PROJECT_FOLDER

DBT = PROJECT_FOLDER / "dbt_project"
# What is read, and of whose changes something else tells.
TOLD_OTHERWISE = {
    # An order's event changes with the order.
    ("int_first_purchases", "int_touchpoint_events"),
    # Who is known by another customer key gets other versions too.
    ("int_survey_frames", "int_identities"),
}


def read_texts(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in folder.rglob("*.sql")}


def read_macros() -> dict[str, str]:
    return {
        found[1]: found[2]
        for text in read_texts(DBT / "macros").values()
        for found in re.finditer(
            r"\{%-?\s*macro (\w+)\(.*?%\}(.*?)\{%-?\s*endmacro", text, re.DOTALL
        )
    }


def list_watched(text: str, macros: dict[str, str]) -> set[str]:
    """The models of whose changes a text asks, in its own words or by a macro."""
    watched = set(re.findall(r"dirty\(\s*'(\w+)\.", text))
    for name in macros.keys() & set(re.findall(r"\b(\w+)\(", text)) - {"dirty"}:
        watched |= list_watched(macros[name], macros)
    return watched


def list_read(text: str) -> set[str]:
    """The models that a model's query reads; those that its keys are looked up in are
    no content of it."""
    query = re.sub(r"--.*", "", text.split("config(", 1)[1])
    return set(re.findall(r"ref\(\s*'(\w+)'", query))


def test_a_model_is_rebuilt_when_one_that_it_reads_has_changed() -> None:
    macros = read_macros()
    rebuilt = {
        name: text
        for name, text in read_texts(DBT / "models").items()
        if "rebuild_when" in text
    }
    assert len(rebuilt) > 50
    missed = {
        (name, read)
        for name, text in rebuilt.items()
        for read in (list_read(text) & rebuilt.keys()) - list_watched(text, macros)
    }
    assert missed == TOLD_OTHERWISE
