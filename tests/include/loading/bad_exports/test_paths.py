"""What lies in the landing folder and is no plain file, or is called strangely."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.include.loading.bad_exports.bad_night import GOOD, BadExport, BadNight


def put(name: str, content: str = GOOD) -> Callable[[Path], None]:
    def arrange(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    return arrange


def link(name: str, target: str) -> Callable[[Path], None]:
    def arrange(folder: Path) -> None:
        put("a.csv")(folder)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(target)

    return arrange


def put_pipe(folder: Path) -> None:
    put("a.csv")(folder)
    os.mkfifo(folder / "b.csv")


def put_name_of_bytes(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/jo\xe3o.csv"))).write_text(GOOD)


def put_link_outside(folder: Path) -> None:
    outside = folder.parents[3] / "secret.csv"
    outside.write_text(GOOD)
    (folder / "a.csv").symlink_to(outside)


CASES = [
    BadExport("no file", lambda _: None, refused="no file has arrived in shop/orders/"),
    BadExport("only hidden files", put(".a.csv"), refused="no file has arrived in"),
    BadExport(
        "names that the contract does not want",
        put("ORDERS.TXT"),
        declared={"path": "*.csv"},
        refused="no file matches *.csv, but there is ORDERS.TXT; rename the files",
    ),
    BadExport(
        "an upload that goes on", put("a.csv.part"), refused="still being written"
    ),
    BadExport(
        "a link out of the landing folder",
        put_link_outside,
        refused="the file is a link that leads out of the landing folder",
    ),
    BadExport(
        "a link to a system's file",
        link("b.csv", "/etc/passwd"),
        refused="a link that leads out of the landing folder; put the file itself",
    ),
    BadExport(
        "a link that leads nowhere",
        link("b.csv", "gone.csv"),
        refused="b.csv: the file is a link that leads nowhere; put the file itself",
    ),
    BadExport("a link to itself", link("b.csv", "b.csv"), refused="leads nowhere"),
    BadExport(
        "a folder that is a link to its own folder",
        link("deep/up", ".."),
        refused="deep/up: it is a link to a folder; put the files themselves there",
    ),
    BadExport("a pipe", put_pipe, refused="b.csv: it is no file; remove it, or put"),
    BadExport(
        "a name that is not UTF-8",
        put_name_of_bytes,
        refused=r"jo\udce3o.csv: the file's name is not UTF-8; rename it.",
    ),
    BadExport("a folder called as a file", put("b.csv/a.csv"), loaded=("1", "2")),
    BadExport(
        "a link to a file beside it",
        link("b.csv", "a.csv"),
        loaded=("1", "2", "1", "2"),
    ),
    *(
        BadExport(case, put(name), loaded=("1", "2"))
        for case, name in {
            "a name with a line end": "a\nb.csv",
            "a name with quotes and percents": "o'r\"d%ers %s {0} (1)?#*.csv",
            "a name of another script": "заказы\u202e.csv",
            "a name that looks like an option": "-rf.csv",
            "a name as long as names may be": "x" * 251 + ".csv",
            "a name without a suffix": "orders",
            "a name in capitals": "ORDERS.CSV",
        }.items()
    ),
    BadExport(
        "a strange name in a sentence",
        put("a\nb\x1b[31m.csv", "name\nAna\n"),
        refused=r"/a b\x1b[31m.csv: the required column is missing",
    ),
]


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_what_lies_in_the_landing_folder(bad_night: BadNight, bad: BadExport) -> None:
    bad_night.check(bad)
