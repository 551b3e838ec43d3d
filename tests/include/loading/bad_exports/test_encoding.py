"""Files in another encoding than declared, and bytes that are none."""

import pytest

from tests.include.loading.bad_exports.bad_night import HEADER, BadExport, BadNight

MARK = b"\xef\xbb\xbf"
HEAD = HEADER.encode()
LATIN = "id,name,note\n1,João,são\n2,Inês,café\n3,Ana,maçã\n".encode("latin-1")
NOT_UTF_8 = "bytes that are not utf-8"

CASES = [
    BadExport(
        "Latin letters where the contract says UTF-8",
        LATIN,
        refused="row 1: the bytes are not utf-8, which the contract says; write the"
        " file's encoding (perhaps cp1252) into the contract, or export it as"
        " declared.",
    ),
    BadExport(
        "UTF-8 where the contract says Latin",
        "id,name,note\n1,João,\n",
        declared={"encoding": "latin-1"},
        refused="the contract says latin-1, but the bytes are UTF-8; write encoding:"
        " utf-8 into the contract, or export it as declared.",
    ),
    BadExport(
        "UTF-8 where the contract says ASCII",
        "id,name,note\n1,João,\n",
        declared={"encoding": "ascii"},
        refused="the contract says ascii, but the bytes are UTF-8",
    ),
    BadExport(
        "the byte order mark of UTF-8 where the contract says Windows",
        MARK + b"id,name,note\n1,Joao,\n",
        declared={"encoding": "cp1252"},
        refused="the contract says cp1252, but the bytes are UTF-8",
    ),
    BadExport(
        "UTF-16 where the contract says UTF-8",
        "id,name,note\n1,João,\n".encode("utf-16"),
        refused="the contract says utf-8, but the bytes are UTF-16; write encoding:"
        " utf-16 into the contract, or export it as declared.",
    ),
    BadExport(
        "UTF-16 without a mark where the contract says UTF-8",
        "id,name,note\n1,João,\n".encode("utf-16-le"),
        refused="the header is not utf-8 text; write the file's encoding",
    ),
    BadExport(
        "UTF-32 where the contract says UTF-8",
        "id,name,note\n1,João,\n".encode("utf-32-be"),
        refused="the header is not utf-8 text",
    ),
    BadExport(
        "UTF-8 where the contract says UTF-16",
        "id,name,note\n1,Ana,xy\n",
        declared={"encoding": "utf-16"},
        refused="the bytes are not utf-16, which the contract says",
    ),
    BadExport(
        "UTF-16 that ends within a character",
        ("id,name,note\n1,Ana,x\n".encode("utf-16"))[:-1],
        declared={"encoding": "utf-16"},
        refused="the file ends in the middle of a character; transfer it again",
    ),
    BadExport(
        "UTF-16 with half of a pair",
        "id,name,note\n1,Ana,x\n".encode("utf-16") + b"\x00\xd8a\x00",
        declared={"encoding": "utf-16"},
        refused="the bytes are not utf-16, which the contract says",
    ),
    BadExport(
        "a header in another encoding",
        "id,não,note\n1,Ana,\n".encode("latin-1"),
        refused="the header is not utf-8 text",
    ),
    BadExport(
        # A mark is no part of a header's name, however often it stands before it.
        "two byte order marks",
        MARK + MARK + HEAD + b"1,Ana,\n",
        loaded=("1",),
    ),
    BadExport(
        "nothing but NUL bytes",
        bytes(5_000),
        refused="the header is not utf-8 text",
    ),
    BadExport(
        "a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", refused="header is not utf-8"
    ),
    BadExport(
        "one damaged row among fifty",
        HEAD
        + "".join(f"{number},João,x\n" for number in range(50)).encode()
        + b"50,Jo\xe3o,x\n",
        loaded=tuple(map(str, range(50))),
        rejected={51: NOT_UTF_8},
    ),
    BadExport(
        "NUL bytes in a row",
        HEAD + b"1,A\0na,\n2,Ion,\n",
        loaded=("2",),
        rejected={1: "a NUL character"},
    ),
    BadExport(
        "an overlong NUL",
        HEAD + b"1,A\xc0\x80na,\n2,Ion,\n",
        loaded=("2",),
        rejected={1: NOT_UTF_8},
    ),
    BadExport(
        "half of a surrogate pair written as UTF-8",
        HEAD + b"1,\xed\xa0\x80,\n2,Ion,\n",
        loaded=("2",),
        rejected={1: NOT_UTF_8},
    ),
    BadExport(
        "a code point that is none",
        HEAD + b"1,\xf5\x80\x80\x80,\n2,Ion,\n",
        loaded=("2",),
        rejected={1: NOT_UTF_8},
    ),
    BadExport(
        "a last character that was cut off",
        HEAD + b"1,Ana,\n2,Ion,\xc3",
        loaded=("1",),
        rejected={2: NOT_UTF_8},
    ),
    BadExport(
        "a byte that its encoding leaves undefined",
        HEAD + b"1,a\x81b,\n2,Jo\xe3o,\n",
        declared={"encoding": "cp1252"},
        loaded=("2",),
        rejected={1: "bytes that are not cp1252"},
    ),
    BadExport(
        "a byte order mark as it should be", MARK + HEAD + b"1,a,\n", loaded=("1",)
    ),
    BadExport(
        "a byte order mark in the middle",
        HEAD + b"1,a,\n" + MARK + b"2,b,\n",
        loaded=("1", "\ufeff2"),
    ),
    BadExport(
        "letters that were encoded twice",
        HEADER + "1,JoÃ£o,\n",
        loaded=("1",),
    ),
    BadExport(
        "line ends that only Unicode knows",
        HEADER + "1,a\u2028b\x85c,d\x0be\x0cf\n2,Ion,\n",
        loaded=("1", "2"),
    ),
    BadExport(
        "text that turns its direction",
        HEADER + "1\u202e,\U0001f600,\n",
        loaded=("1\u202e",),
    ),
]


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_bytes_that_are_not_what_the_contract_says(
    bad_night: BadNight, bad: BadExport
) -> None:
    bad_night.check(bad)
