"""Two things at once on one warehouse: one waits or is refused, nothing is mixed."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from include.audit import accept_load, decide_loads, migrate
from include.building import frozen_loads
from include.building.build_lock import build_lock
from include.contracts import read_contracts
from include.errors import BuildError
from include.gates import check_raw
from include.loading.landing import Landing
from include.loading.loader import LoadResult, load_feed
from include.replay import reread_rejects
from include.settings import Settings, connect
from tests.include.building.publish_world import PublishWorld
from tests.include.gates.gate_world import (
    NIGHT,
    GateWorld,
    make_visits,
    open_gate_world,
)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[GateWorld]:
    world = open_gate_world(settings, tmp_path / "project")
    yield world
    world.connection.close()


def _hold_build_lock(settings: Settings, has_it: Event) -> None:
    with connect(settings) as connection, build_lock(connection):
        has_it.set()
        time.sleep(120)


@contextmanager
def build_elsewhere(
    settings: Settings,
) -> Iterator[multiprocessing.process.BaseProcess]:
    """Let another process be in the middle of a build."""
    context = multiprocessing.get_context("spawn")
    has_it = context.Event()
    process = context.Process(target=_hold_build_lock, args=(settings, has_it))
    process.start()
    try:
        assert has_it.wait(60)
        yield process
    finally:
        process.kill()
        process.join()


def run_at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run jobs in threads that begin together; return results, or what was raised."""
    start = threading.Barrier(len(jobs))
    results: list[object] = [None] * len(jobs)

    def run(number: int, job: Callable[[], object]) -> None:
        start.wait()
        try:
            results[number] = job()
        except BuildError as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def load_visits(world: GateWorld) -> LoadResult:
    contract = read_contracts(world.settings.project_folder)["shop.visits"]
    landing = Landing(world.settings.landing_url)
    with connect(world.settings, "loader") as connection:
        result = load_feed(connection, landing, contract, NIGHT, "test")
    assert result is not None
    return result


def test_one_night_that_is_loaded_twice_at_once_is_loaded_once(
    world: GateWorld,
) -> None:
    world.send("visits", NIGHT, make_visits(200, NIGHT))
    world.execute("delete from audit.loads")
    world.execute("delete from raw_shop.visits")
    results = run_at_once(*[lambda: load_visits(world)] * 3)
    assert sorted(result.outcome for result in results) == [
        *("loaded", "recheck", "recheck")
    ]
    assert len({result.load_id for result in results}) == 1
    (rows,) = world.connection.execute(
        "select count(*), count(distinct _row_number) from raw_shop.visits"
    ).fetchall()
    assert rows == (200, 200)


def test_two_gates_at_once_decide_a_load_once(world: GateWorld) -> None:
    load_id = world.send("visits", NIGHT, make_visits(3, NIGHT))
    results = run_at_once(*[lambda: check_raw(world.settings, "gate")] * 2)
    assert sorted(result.checked for result in results) == [0, 1]
    assert world.read_status(load_id) == ("accepted", None)


def test_a_load_that_comes_while_a_build_runs_is_the_next_builds(
    world: GateWorld,
) -> None:
    contracts = list(world.contracts.values())
    first = world.send("visits", NIGHT, make_visits(3, NIGHT))
    accept_load(world.connection, first)
    world.connection.commit()
    with connect(world.settings, "transformer") as building, build_lock(building):
        with building.transaction():
            frozen_loads.freeze(building, contracts)
        # Nobody waits for the build.
        second = world.send("visits", NIGHT, make_visits(2, NIGHT))
        accept_load(world.connection, second)
        world.connection.commit()
        assert world.read_status(first)[0] == "superseded"
        frozen = building.execute(
            "select load_id from audit.build_loads where is_current"
        ).fetchall()
        assert frozen == [(first,)]
        with building.transaction():
            frozen_loads.apply(building)
        with building.transaction():
            touched = frozen_loads.freeze(building, contracts)
    assert [(load.load_id, load.is_current) for load in touched] == [
        *((first, False), (second, True))
    ]


def test_content_that_comes_while_the_gate_judges_is_not_overruled(
    world: GateWorld,
) -> None:
    judged = [world.send("visits", NIGHT, make_visits(3, NIGHT))]
    newer = world.send("visits", NIGHT, make_visits(4, NIGHT))
    for reasons in ({}, {judged[0]: "a reason to hold it"}):
        assert decide_loads(world.connection, judged, reasons) == []
        assert world.read_status(judged[0]) == ("superseded", None)
    assert world.read_status(newer) == ("loaded", None)


def test_a_second_build_is_refused_and_a_killed_one_blocks_nobody(
    settings: Settings,
) -> None:
    with build_elsewhere(settings) as process:
        with (
            connect(settings) as connection,
            pytest.raises(BuildError, match="wait until it is done and run again"),
            build_lock(connection),
        ):
            pass
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        deadline = time.monotonic() + 120
        while True:
            try:
                with connect(settings) as connection, build_lock(connection):
                    break
            except BuildError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_a_replay_while_a_build_runs_is_refused_and_changes_nothing(
    world: GateWorld,
) -> None:
    load_id = world.send("visits", NIGHT, make_visits(9, NIGHT), broken_rows=1)
    accept_load(world.connection, load_id)
    world.connection.commit()
    states = (
        "select jsonb_agg(to_jsonb(loads) order by load_id),"
        " (select jsonb_agg(to_jsonb(rejects)) from audit.rejects)"
        " from audit.loads"
    )
    before = world.connection.execute(states).fetchall()
    world.connection.commit()
    with (
        build_elsewhere(world.settings),
        pytest.raises(BuildError, match="Another build or publish is under way"),
    ):
        reread_rejects(world.settings, "replay", progress=lambda line: None)
    assert world.connection.execute(states).fetchall() == before


def test_two_publishes_at_once_publish_every_change_once(settings: Settings) -> None:
    with connect(settings) as connection:
        migrate(connection)
        connection.autocommit = True
        world = PublishWorld(settings, connection)
        world.make_table("counts", "id text, responses integer", "('a', 1), ('b', 2)")
        world.publish()
        world.execute(
            "insert into warehouse.counts select n::text, n"
            " from generate_series(1, 5000) as n"
        )
        world.mark_changed("counts", None)
        results = run_at_once(world.publish, world.publish)
        published = [result for result in results if not isinstance(result, BuildError)]
        assert published, "at least one is let through"
        assert world.fetch(
            "select count(*) from audit.published_changes where change = 'inserted'"
            " and publish_id > 1"
        ) == [(5000,)]
        assert world.fetch("select count(*) from marts.counts") == [(5002,)]
