"""The landing zone: local folders and a real S3 server on loopback."""

from datetime import date
from pathlib import Path

import pytest
from pyarrow import fs

from include.errors import ExportError, MissingExportError, SettingsError
from include.loading.landing import Landing
from include.settings import Settings
from tests.include.loading.load_world import NIGHT, make_contract, open_load_world

ORDERS = b"id,name,note\n1,Ana,\n2,Ion,x\n"


@pytest.fixture
def feed_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "landing" / "shop" / "orders" / NIGHT.isoformat()
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def bucket_url(s3_landing: str) -> str:
    """The s3:// address of a landing zone with two files of shop.orders."""
    store, root = fs.FileSystem.from_uri(s3_landing)
    for name in ("b.csv", "a.csv"):
        path = f"{root}/shop/orders/{NIGHT}/{name}"
        with store.open_output_stream(path) as file:
            file.write(ORDERS)
    return s3_landing


def test_files_come_sorted_with_their_sizes(feed_folder: Path) -> None:
    for name in ("b.csv", "a.csv", "c.csv"):
        (feed_folder / name).write_bytes(ORDERS)
    landing = Landing(str(feed_folder.parents[2]))
    files = landing.list_files(make_contract(path="*.csv"), NIGHT)
    assert [file.name for file in files] == ["a.csv", "b.csv", "c.csv"]
    assert files[0].path == f"shop/orders/{NIGHT}/a.csv"
    assert files[0].bytes == len(ORDERS)


def test_a_file_address_is_the_same_as_a_folder(feed_folder: Path) -> None:
    (feed_folder / "a.csv").write_bytes(ORDERS)
    landing = Landing(feed_folder.parents[2].as_uri())
    (file,) = landing.list_files(make_contract(), NIGHT)
    assert landing.open(file).read() == ORDERS


def test_batch_dates_are_the_dated_folders_in_order(feed_folder: Path) -> None:
    for name in ("2026-11-18", "2026-02-30", "notes", "2026-11-19"):
        (feed_folder.parent / name).mkdir()
    landing = Landing(str(feed_folder.parents[2]))
    assert landing.list_batch_dates(make_contract()) == [
        date(2026, 11, 18),
        date(2026, 11, 19),
        NIGHT,
    ]


def test_a_feed_that_sent_nothing_has_no_files(feed_folder: Path) -> None:
    landing = Landing(str(feed_folder.parents[2]))
    assert landing.list_files(make_contract(feed="other"), NIGHT) == []
    assert landing.list_batch_dates(make_contract(feed="other")) == []


def test_a_missing_landing_folder_is_said_so(tmp_path: Path) -> None:
    landing = Landing(str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"nowhere does not exist: create it, or"):
        landing.list_files(make_contract(), NIGHT)


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"CX_LANDING_URL is 'ftp://x/y'"):
        Landing("ftp://x/y")


def test_files_that_do_not_match_are_named(feed_folder: Path) -> None:
    (feed_folder / "ORDERS.TXT").write_bytes(ORDERS)
    landing = Landing(str(feed_folder.parents[2]))
    with pytest.raises(
        MissingExportError, match=r"no file matches \*\.csv, but there is ORDERS\.TXT"
    ):
        landing.list_files(make_contract(path="*.csv"), NIGHT)


def test_a_file_that_is_still_being_written_stops_the_load(feed_folder: Path) -> None:
    (feed_folder / "a.csv").write_bytes(ORDERS)
    (feed_folder / "b.csv.part").write_bytes(ORDERS)
    landing = Landing(str(feed_folder.parents[2]))
    with pytest.raises(ExportError, match=r"b\.csv\.part: the file is still being"):
        landing.list_files(make_contract(), NIGHT)


def test_hidden_files_are_passed_over(feed_folder: Path) -> None:
    (feed_folder / ".DS_Store").write_bytes(b"x")
    (feed_folder / "_SUCCESS").write_bytes(b"")
    landing = Landing(str(feed_folder.parents[2]))
    assert landing.list_files(make_contract(), NIGHT) == []


def test_a_link_that_leads_out_of_the_landing_folder_is_refused(
    feed_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_bytes(ORDERS)
    (feed_folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    landing = Landing(str(feed_folder.parents[2]))
    with pytest.raises(ExportError, match="leads out of the landing folder"):
        landing.list_files(make_contract(), NIGHT)


def test_s3_files_load_like_local_ones(bucket_url: str, settings: Settings) -> None:
    world = open_load_world(settings)
    world.landing_folder = bucket_url  # type: ignore[assignment]
    landing = Landing(bucket_url)
    assert landing.list_batch_dates(make_contract()) == [NIGHT]
    result = world.load()
    assert (result.rows_loaded, result.bytes) == (4, 2 * len(ORDERS))
    assert world.raw_rows() == [("1", "Ana", None), ("2", "Ion", "x")] * 2
    assert world.load().outcome == "recheck"


def test_an_s3_server_that_does_not_answer_is_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    landing = Landing("s3://exports/landing")
    with pytest.raises(SettingsError, match="s3://exports/landing cannot be listed"):
        landing.list_files(make_contract(), NIGHT)
