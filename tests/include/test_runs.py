"""What is recorded of a run: every attempt at every step, and one row over all."""

import pytest

from include import night
from include.errors import GateError, WarehouseError
from include.runs import record_step
from include.settings import Settings, connect


@pytest.fixture
def prepared(settings: Settings) -> Settings:
    night.prepare(settings)
    return settings


def test_a_step_is_seen_while_it_runs_and_after_it_has_ended(
    prepared: Settings,
) -> None:
    with record_step(prepared, "run 1", "build"):
        assert read_steps(prepared) == [("build", "running", None)]
        assert read_run(prepared, "run 1")[:2] == ("running", None)
    assert read_steps(prepared) == [("build", "succeeded", None)]
    outcome, failed_step, seconds, is_over = read_run(prepared, "run 1")
    assert (outcome, failed_step, is_over) == ("succeeded", None, True)
    assert set(seconds) == {"build"}
    assert seconds["build"] >= 0


def test_what_a_step_failed_with_is_kept_and_raised(prepared: Settings) -> None:
    with (
        pytest.raises(WarehouseError, match="is gone"),
        record_step(prepared, "run 1", "extract_crm"),
    ):
        raise WarehouseError("the file\nis gone")
    assert read_steps(prepared) == [("extract_crm", "failed", "the file is gone")]
    assert read_run(prepared, "run 1")[:2] == ("failed", "extract_crm")


def test_an_interrupted_step_is_not_left_running(prepared: Settings) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        record_step(prepared, "run 1", "publish"),
    ):
        raise KeyboardInterrupt
    assert read_steps(prepared) == [("publish", "failed", "interrupted")]


def test_the_last_attempt_at_a_step_is_the_one_that_counts(
    prepared: Settings,
) -> None:
    with (
        pytest.raises(WarehouseError),
        record_step(prepared, "run 1", "build"),
    ):
        raise WarehouseError("no room")
    with record_step(prepared, "run 1", "build"):
        pass
    assert read_run(prepared, "run 1")[:2] == ("succeeded", None)
    assert len(read_steps(prepared)) == 2


def test_a_record_that_cannot_be_written_does_not_hide_what_a_step_says(
    prepared: Settings,
) -> None:
    def fail_without_records() -> None:
        with connect(prepared) as connection:
            connection.execute("drop table audit.run_steps cascade")
        raise WarehouseError("the step's own words")

    with (
        pytest.raises(WarehouseError, match="the step's own words"),
        record_step(prepared, "run 1", "build"),
    ):
        fail_without_records()


def test_a_gate_that_finds_nothing_to_check_fails_its_step(prepared: Settings) -> None:
    with pytest.raises(GateError, match="build first"):
        night.check_marts(prepared, "run 1")
    assert read_run(prepared, "run 1")[:2] == ("failed", "check_marts")


def read_steps(settings: Settings) -> list[tuple[str, str, str | None]]:
    with connect(settings) as connection:
        return connection.execute(
            "select step, outcome, message from audit.run_steps order by step_id"
        ).fetchall()


def read_run(
    settings: Settings, run_id: str
) -> tuple[str, str | None, dict[str, float], bool]:
    with connect(settings) as connection:
        row = connection.execute(
            "select outcome, failed_step, step_seconds, finished_at is not null"
            " from audit.runs where run_id = %s",
            [run_id],
        ).fetchone()
    assert row is not None
    return row
