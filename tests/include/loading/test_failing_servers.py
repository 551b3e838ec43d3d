"""Servers that fail: tried again where it helps, else one sentence, no half load."""

import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pyarrow import fs

from include import night
from include import settings as settings_module
from include.errors import SettingsError, WarehouseError
from include.loading import feed_session, landing
from include.loading.file_content import FileProblem, spool
from include.loading.file_copy import hash_file
from include.loading.landing import LandedFile, Landing
from include.settings import Settings, connect
from tests.include.loading.bad_exports.bad_night import BadExport, BadNight
from tests.include.loading.flaky_proxy import FlakyProxy
from tests.include.loading.load_world import NIGHT

# Two megabytes, so that a connection can be cut in the middle of it.
ROWS = 20_000
ORDERS = "id,name,note\n" + "".join(
    f"{number},{'x' * 90},y\n" for number in range(ROWS)
)
HALF = len(ORDERS) // 2


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_session, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(settings_module, "CONNECT_PAUSES", (0.01, 0.01, 0.01))


@pytest.fixture
def world(bad_night: BadNight) -> BadNight:
    """A night of one large feed and a small one."""
    bad_night.arrange(BadExport("two megabytes", ORDERS))
    return bad_night


@pytest.fixture
def s3_world(world: BadNight, s3_landing: str) -> Iterator[BadNight]:
    """The same night in a bucket of a real S3 server."""
    store, root = fs.FileSystem.from_uri(s3_landing)
    for path in world.landing.rglob("*.csv"):
        with store.open_output_stream(f"{root}/{path.relative_to(world.landing)}") as f:
            f.write(path.read_bytes())
    old = world.settings
    world.settings = replace(old, landing_url=s3_landing)
    yield world
    world.settings = old


def behind(settings: Settings, proxy: FlakyProxy) -> Settings:
    """Reach the database through a proxy."""
    url = make_conninfo(settings.database_url, host="127.0.0.1", port=proxy.port)
    return replace(settings, database_url=url)


def extract(settings: Settings) -> str | None:
    try:
        night.extract(settings, "crm", NIGHT, NIGHT, "night")
    except WarehouseError as error:
        return str(error)
    return None


def count(world: BadNight) -> tuple[int, int]:
    """Return the loads that audit knows of the large feed, and its rows in raw."""
    (loads,) = world.connection.execute(
        "select count(*) from audit.loads where feed = 'shop.orders'"
    ).fetchone()  # type: ignore[misc]
    (rows,) = world.connection.execute(
        "select count(*) from raw_shop.orders"
    ).fetchone()  # type: ignore[misc]
    return loads, rows


def failures(world: BadNight) -> list[tuple[str, bool]]:
    return world.connection.execute(
        "select message, resolved_at is not null from audit.feed_failures"
    ).fetchall()


def port_of(settings: Settings) -> int:
    return int(str(conninfo_to_dict(settings.database_url)["port"]))


def test_a_copy_that_is_cut_is_tried_again_and_loads_once(world: BadNight) -> None:
    with FlakyProxy(port_of(world.settings), cuts=2, after=HALF) as proxy:
        assert extract(behind(world.settings, proxy)) is None
        assert proxy.seen == 2
    assert count(world) == (1, ROWS)
    assert failures(world) == []


def test_a_copy_that_is_cut_each_time_is_told_and_leaves_nothing(
    world: BadNight,
) -> None:
    with FlakyProxy(port_of(world.settings), cuts=99, after=HALF) as proxy:
        sentence = str(extract(behind(world.settings, proxy)))
    assert sentence.startswith(
        f"shop.orders of {NIGHT}: the connection to the database broke off ("
    )
    assert sentence.endswith("then run this night again.")
    assert count(world) == (0, 0)
    assert failures(world) == [(sentence, False)]
    visits = world.connection.execute("select count(*) from raw_shop.visits")
    assert visits.fetchone() == (2,)
    assert extract(world.settings) is None
    assert count(world) == (1, ROWS)
    assert failures(world) == [(sentence, True)]


def test_a_database_that_comes_back_is_reached(world: BadNight) -> None:
    with FlakyProxy(port_of(world.settings), cuts=2) as proxy:
        connect(behind(world.settings, proxy)).close()
        assert proxy.seen == 2


def test_a_database_that_stays_away_is_said_so(world: BadNight) -> None:
    with (
        FlakyProxy(port_of(world.settings), cuts=99) as proxy,
        pytest.raises(SettingsError, match="database cannot be reached"),
    ):
        connect(behind(world.settings, proxy))
    assert proxy.seen == 4


def test_a_database_that_does_not_exist_is_said_at_once(world: BadNight) -> None:
    url = make_conninfo(world.settings.database_url, dbname="nowhere")
    with FlakyProxy(port_of(world.settings), cuts=0) as proxy:
        elsewhere = behind(replace(world.settings, database_url=url), proxy)
        with pytest.raises(SettingsError, match='database "nowhere" does not exist'):
            connect(elsewhere)


def test_a_database_without_room_is_told_and_leaves_nothing(world: BadNight) -> None:
    name = world.connection.info.dbname
    world.arrange(BadExport("a list", ORDERS, declared={"delivery": "snapshot"}))
    with psycopg.connect(world.settings.database_url, autocommit=True) as owner:
        for setting in ("temp_file_limit = '64kB'", "work_mem = '64kB'"):
            owner.execute(f'alter database "{name}" set {setting}'.encode())
        try:
            sentence = str(extract(world.settings))
        finally:
            owner.execute(f'alter database "{name}" reset all'.encode())
    assert sentence.startswith(
        f"shop.orders of {NIGHT}: the database could not store it (temporary file size"
        " exceeds"
    )
    assert sentence.endswith(
        "free disk space or memory on its server, then run this night again."
    )
    assert count(world) == (0, 0)
    assert failures(world) == [(sentence, False)]
    assert extract(world.settings) is None
    assert count(world) == (1, ROWS)


def test_a_full_temporary_folder_is_told_as_such(tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(1 << 21))
    # A limit on the size of files refuses as a full disk does, and needs no rights.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with (
            source.open("rb") as file,
            pytest.raises(FileProblem, match="there is no room in") as caught,
            spool(file),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "set TMPDIR to a folder that has it" in caught.value.remedy


# At once, and in the middle of an answer of half a megabyte.
@pytest.mark.parametrize("after", [0, 200_000])
def test_an_s3_server_that_fails_twice_is_asked_again(
    s3_world: BadNight, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(os.environ["AWS_ENDPOINT_URL_S3"]).port
    assert port
    with FlakyProxy(port, cuts=2, after=after) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
        assert extract(s3_world.settings) is None
        assert proxy.seen == 2
    assert count(s3_world) == (1, ROWS)


def test_an_s3_server_that_fails_for_good_is_told_and_leaves_nothing(
    s3_world: BadNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = os.environ["AWS_ENDPOINT_URL_S3"]
    port = urlsplit(endpoint).port
    assert port
    with FlakyProxy(port, cuts=999) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
        sentence = str(extract(s3_world.settings))
    assert "cannot be listed" in sentence
    assert "the credentials and the connection" in sentence
    assert failures(s3_world) == [(sentence, False)]
    assert count(s3_world)[0] == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    assert extract(s3_world.settings) is None
    assert count(s3_world) == (1, ROWS)
    assert failures(s3_world) == [(sentence, True)]


def test_an_s3_server_that_says_nothing_is_asked_again(
    s3_world: BadNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(os.environ["AWS_ENDPOINT_URL_S3"]).port
    assert port
    monkeypatch.setattr(landing, "REQUEST_SECONDS", 1)
    with FlakyProxy(port, cuts=1, after=200_000, stalls=True) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
        assert extract(s3_world.settings) is None
        assert proxy.seen == 1
    assert count(s3_world) == (1, ROWS)


def test_an_s3_server_that_refuses_the_credentials_is_told_at_once(
    s3_world: BadNight,
) -> None:
    endpoint = os.environ["AWS_ENDPOINT_URL_S3"]

    def let_in_without_rights(requests: str) -> None:
        """After as many requests the server asks for rights, and nobody has any."""
        request = Request(
            f"{endpoint}/moto-api/reset-auth",
            data=requests.encode(),
            headers={"Content-Type": "text/plain"},
        )
        urlopen(request).close()

    let_in_without_rights("0")
    try:
        sentence = str(extract(s3_world.settings))
    finally:
        let_in_without_rights("inf")
    assert "cannot be listed" in sentence
    assert "the credentials and the connection" in sentence
    assert count(s3_world)[0] == 0
    assert extract(s3_world.settings) is None
    assert failures(s3_world) == [(sentence, True)]


def test_an_object_that_is_gone_when_it_is_opened_is_said_so(
    s3_world: BadNight,
) -> None:
    zone = Landing(s3_world.settings.landing_url)
    with pytest.raises(FileProblem, match="the file cannot be opened"):
        hash_file(zone, LandedFile("shop/orders/gone.csv", 3))
