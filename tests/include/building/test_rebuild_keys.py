"""A model that is rebuilt by keys is told when what it reads of a model has changed."""

import re
from pathlib import Path

import yaml

from include.settings import PROJECT_FOLDER

DBT = PROJECT_FOLDER / "dbt_project"
# What is read, and of whose changes something else tells.
TOLD_OTHERWISE = {
    # An order's event changes with the order.
    ("int_first_purchases", "int_touchpoint_events"),
    # Who is known by another customer key gets other versions too.
    ("int_survey_frames", "int_identities"),
}
# Columns of which a mark does not tell, whose names are read where the mark is asked
# for: they are not those of the marked model, or something else tells.
NOT_READ = {
    # of its own rows
    ("fct_survey_invitations.invited", "mart_uninvited_responses", "survey_id"),
    ("fct_survey_invitations.invited", "mart_uninvited_responses", "survey_kind"),
    # of themes and actions
    ("fct_survey_responses.scored_day", "fct_improvement_actions", "owner_area"),
    ("fct_comments.theme_day", "fct_improvement_actions", "owner_area"),
    # of the orders
    ("fct_customer_values.first_purchase_day", "int_loyalty_days", "returned_value"),
    (
        "fct_customer_values.first_purchase_day",
        "int_loyalty_days",
        "currency_unconverted_orders",
    ),
    # of the touches
    ("fct_survey_responses.customer_day", "int_outbound_touches", "country"),
    ("fct_survey_responses.customer_day", "int_outbound_touches", "segment"),
    # of the day that is the key
    ("fct_survey_invitations.funnel_day", "mart_response_funnel", "matures_on"),
    # of the ticket itself, whose every change is told of
    ("fct_tickets.asker", "fct_ticket_resolutions", "created_date"),
    # of the tickets, and of what was done for them
    ("fct_sla_clocks.clock_day", "mart_service_levels", "created_group_id"),
    ("fct_ticket_resolutions.resolution_day", "mart_service_levels", "first_solved_at"),
    # of nothing: all four are of the ticket's customer, and are joined by it
    ("fct_tickets.served_day", "mart_service_levels", "customer_key"),
    ("fct_ticket_service.service_day", "mart_service_levels", "customer_key"),
    ("fct_ticket_resolutions.resolution_day", "mart_service_levels", "customer_key"),
    ("fct_sla_clocks.clock_day", "mart_service_levels", "customer_key"),
    # the beginning of the answer's own key
    ("fct_survey_responses.answered_ticket", "fct_ticket_resolutions", "response_id"),
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
    """The places of whose changes a text asks, in its own words or by a macro."""
    watched = set(re.findall(r"dirty\(\s*'(\w+\.\w+)'", text))
    for name in macros.keys() & set(re.findall(r"\b(\w+)\(", text)) - {"dirty"}:
        watched |= list_watched(macros[name], macros)
    return watched


def read_query(text: str) -> str:
    """A model's own query: what its keys are looked up in is no content of it."""
    return re.sub(r"--.*", "", text.split("config(", 1)[1])


def read_rebuilt_models() -> dict[str, str]:
    models = read_texts(DBT / "models")
    rebuilt = {name: text for name, text in models.items() if "rebuild_when" in text}
    assert len(rebuilt) > 50
    return rebuilt


def read_columns() -> dict[str, set[str]]:
    return {
        model["name"]: {column["name"] for column in model.get("columns", [])}
        for path in (DBT / "models").rglob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
    }


def test_a_model_is_rebuilt_when_one_that_it_reads_has_changed() -> None:
    macros, rebuilt = read_macros(), read_rebuilt_models()
    missed = set()
    for name, text in rebuilt.items():
        read = set(re.findall(r"ref\(\s*'(\w+)'", read_query(text)))
        watched = {place.split(".")[0] for place in list_watched(text, macros)}
        missed |= {(name, model) for model in (read & rebuilt.keys()) - watched}
    assert missed == TOLD_OTHERWISE


def test_a_mark_of_some_columns_names_all_that_are_read_by_those_who_ask_for_it() -> (
    None
):
    macros, rebuilt, columns = read_macros(), read_rebuilt_models(), read_columns()
    of_some_columns = re.compile(r"'(\w+)': \{\s*('key': .*?'of': .*?)\}\}", re.DOTALL)
    missed = set()
    for model, text in rebuilt.items():
        for mark, told in of_some_columns.findall(text):
            untold = columns[model] - set(re.findall(r"\w+", told))
            missed |= {
                (f"{model}.{mark}", name, column)
                for name, asking in rebuilt.items()
                if f"{model}.{mark}" in list_watched(asking, macros)
                for column in untold & set(re.findall(r"\w+", read_query(asking)))
            }
    assert missed == NOT_READ
