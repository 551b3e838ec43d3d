"""Settings: read from the environment, checked, and clear about what is missing."""

import pickle
from datetime import date, time
from pathlib import Path

import pytest

from include import settings as settings_module
from include.errors import ExportError, SettingsError, WarehouseError
from include.settings import Settings, connect, read_settings

COMPLETE = {
    "CX_DATABASE_URL": "postgresql://reader:word@127.0.0.1:5432/warehouse",
    "CX_LANDING_URL": "s3://exports/daily",
    "CX_KEY_SECRET": "0123456789abcdef0123456789abcdef",
    "CX_REPORT_FOLDER": "report",
}


def test_complete_settings_are_read() -> None:
    settings = read_settings(COMPLETE | {"CX_REPORTING_TIME_ZONE": "Europe/Bucharest"})
    assert settings.database_url == COMPLETE["CX_DATABASE_URL"]
    assert settings.landing_url == "s3://exports/daily"
    assert settings.reporting_time_zone == "Europe/Bucharest"
    assert settings.report_folder.is_absolute()
    assert (settings.project_folder / "include" / "settings.py").exists()


def test_the_reporting_time_zone_has_a_default() -> None:
    assert read_settings(COMPLETE).reporting_time_zone == "America/Sao_Paulo"


@pytest.mark.parametrize("name", sorted(COMPLETE))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_setting_is_named_with_what_to_do(
    name: str, value: str | None
) -> None:
    environment = {key: text for key, text in COMPLETE.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingsError, match=rf"^{name} is not set: set it to .+\.$"):
        read_settings(environment)


def test_a_folder_of_seeds_is_one_of_the_project_or_any_other(tmp_path: Path) -> None:
    assert read_settings(COMPLETE).seeds_folder is None
    examples = read_settings(COMPLETE | {"CX_SEEDS": "examples/bank/seeds"})
    assert examples.seeds_folder == examples.project_folder / "examples/bank/seeds"
    own = read_settings(COMPLETE | {"CX_SEEDS": str(tmp_path)})
    assert own.seeds_folder == tmp_path
    with pytest.raises(SettingsError, match="CX_SEEDS is nowhere, which is no folder"):
        read_settings(COMPLETE | {"CX_SEEDS": "nowhere"})


@pytest.mark.parametrize("zone", ["Madrid3", "BRT+3", "Europe/Atlantis", "../etc"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(SettingsError, match="CX_REPORTING_TIME_ZONE"):
        read_settings(COMPLETE | {"CX_REPORTING_TIME_ZONE": zone})


def test_how_long_to_wait_and_whom_to_name_have_defaults() -> None:
    settings = read_settings(COMPLETE | {"CX_EXPORT_DEADLINE": " "})
    assert settings.export_deadline == time(6)
    assert settings.stale_nights == {"": 2}
    assert settings.overdue_hours == 30
    assert settings.runbook_url == "docs/runbook.md"


def test_how_long_to_wait_and_whom_to_name_can_be_set() -> None:
    settings = read_settings(
        COMPLETE
        | {
            "CX_EXPORT_DEADLINE": "08:30",
            "CX_STALE_NIGHTS": "3, qualtrics=5",
            "CX_OVERDUE_HOURS": "50",
            "CX_PIPELINE_OWNER": "the data team",
        }
    )
    assert settings.export_deadline == time(8, 30)
    assert settings.stale_nights == {"": 3, "qualtrics": 5}
    assert settings.overdue_hours == 50
    assert settings.pipeline_owner == "the data team"
    some = read_settings(COMPLETE | {"CX_STALE_NIGHTS": "zendesk=1"})
    assert some.stale_nights == {"": 2, "zendesk": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CX_EXPORT_DEADLINE", "six"),
        ("CX_EXPORT_DEADLINE", "01:59"),
        ("CX_EXPORT_DEADLINE", "12:01"),
        ("CX_EXPORT_DEADLINE", "06:00+02:00"),
        ("CX_STALE_NIGHTS", "two"),
        ("CX_STALE_NIGHTS", "2,qualtrics=0"),
        ("CX_OVERDUE_HOURS", "-1"),
    ],
)
def test_a_wait_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(COMPLETE | {name: value})


def test_a_short_key_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="CX_KEY_SECRET") as caught:
        read_settings(COMPLETE | {"CX_KEY_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_database_url_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="CX_DATABASE_URL"):
        read_settings(COMPLETE | {"CX_DATABASE_URL": "the usual one"})


def test_the_printed_settings_show_no_secret() -> None:
    shown = repr(read_settings(COMPLETE))
    assert "word" not in shown
    assert COMPLETE["CX_KEY_SECRET"] not in shown


def test_a_connection_carries_the_application_name(settings: Settings) -> None:
    with connect(settings) as connection:
        row = connection.execute(
            "select current_setting('application_name')"
        ).fetchone()
    assert row == ("cx",)


def test_an_unreachable_database_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "CONNECT_PAUSES", ())
    settings = Settings(
        database_url="postgresql://nobody:nothing@127.0.0.1:1/none",
        landing_url=str(tmp_path),
        key_secret="0123456789abcdef",
        reporting_time_zone="UTC",
        report_folder=tmp_path,
    )
    with pytest.raises(SettingsError, match="cannot be reached") as caught:
        connect(settings)
    assert "\n" not in str(caught.value)
    assert "nothing" not in str(caught.value)


def test_an_export_error_says_where_what_and_what_to_do() -> None:
    error = ExportError(
        "hubspot.contacts",
        date(2026, 11, 20),
        reason="the column Record ID is missing",
        remedy="export it again with this column",
        file="hubspot/contacts/2026-11-20/contacts.csv",
        row=17,
    )
    assert str(error) == (
        "hubspot.contacts of 2026-11-20, file "
        "hubspot/contacts/2026-11-20/contacts.csv, row 17: the column Record ID is "
        "missing; export it again with this column."
    )
    assert isinstance(error, WarehouseError)


def test_an_export_error_survives_the_way_to_another_process() -> None:
    error = ExportError("a.b", date(2026, 1, 2), "it is empty", "send it again")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_publishes_that_can_be_rolled_back_are_a_month_of_nights_or_as_set() -> (
    None
):
    assert read_settings(COMPLETE).rollback_publishes == 30
    settings = read_settings(COMPLETE | {"CX_ROLLBACK_PUBLISHES": " 7 "})
    assert settings.rollback_publishes == 7


@pytest.mark.parametrize("text", ["0", "-1", "a month", "1.5", "²"])
def test_a_number_of_publishes_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^CX_ROLLBACK_PUBLISHES is"):
        read_settings(COMPLETE | {"CX_ROLLBACK_PUBLISHES": text})
