"""CSV files that are cut, mixed up, or no CSV: refused as a whole, or row by row."""

import random
import string

import pytest

from tests.include.loading.bad_exports.bad_night import HEADER, BadExport, BadNight

FEW = "fields where the header has 3"
AFTER_QUOTE = "text after the closing quote of a field"
LONG_NAME = "".join(random.Random(1).choices(string.ascii_letters, k=4_000))

REFUSED = [
    BadExport(
        "a required column is missing",
        "nummer,name,note\n1,Ana,\n",
        refused="orders.csv: the required column is missing: id (the file has nummer,"
        " name, note); export it again with them, or change the contract.",
    ),
    BadExport(
        "semicolons where the contract says commas",
        "id;name;note\n1;Ana;\n",
        refused="the required column is missing: id (the file has id;name;note)",
    ),
    BadExport("no byte at all", b"", refused="the file is empty; export it again."),
    BadExport("only a byte order mark", b"\xef\xbb\xbf", refused="the file is empty"),
    BadExport("only blank lines", "\n\r\n\n", refused="the file is empty"),
    BadExport(
        "fewer lines than header rows",
        HEADER,
        declared={"header_rows": 3},
        refused="the file ends within its 3 header rows; export it again.",
    ),
    BadExport(
        "text after a closing quote in the header",
        'id,"na"me,note\n1,a,b\n',
        refused="the header cannot be read: text after the closing quote of a field",
    ),
    BadExport(
        "a quote in the header that is never closed",
        'id,"name,note\n1,a,b\n',
        refused="the header cannot be read: a quoted field that is never closed",
    ),
    BadExport(
        "carriage returns alone as line ends",
        "id,name,note\r1,Ana,\r2,Ion,\r",
        refused="the header cannot be read: a carriage return outside quotes",
    ),
    BadExport(
        "a comment before the header",
        "# exported on 2026-11-20\n" + HEADER + "1,Ana,\n",
        refused="perhaps the header row is missing",
    ),
    BadExport(
        "the page of an error instead of an export",
        "<html><body>502 Bad Gateway</body></html>\n",
        refused="perhaps the header row is missing",
    ),
    BadExport(
        "JSON instead of CSV",
        '{"orders": [{"id": 1}]}\n',
        refused="the required column is missing: id",
    ),
    BadExport(
        "rows without a header",
        "1,Ana,x\n2,Ion,y\n",
        refused="perhaps the header row is missing",
    ),
    BadExport(
        "more columns than any table has",
        "id" + ",x" * 30_000 + "\n",
        refused="the header has 30,001 columns; check delimiter and header_rows",
    ),
    BadExport(
        "a header of two megabytes",
        "x" * (1 << 21) + ",name,note\n1,2,3\n",
        refused=f"(the file has {'x' * 60}…, name, note)",
    ),
    BadExport(
        "a header with a line end and a bell in it",
        '"i\nd",na\x07me,name,note\n1,2,3,4\n',
        refused=r"(the file has i d, na\x07me, name, note)",
    ),
    BadExport(
        "quotes that go on from row to row without end",
        HEADER + '1,"a' + '","a\n' * 500_000,
        refused="lines (perhaps a quote is missing); export it again.",
    ),
]

LOADED = [
    BadExport("a header and no rows", HEADER),
    BadExport("a header without a line end", HEADER.rstrip()),
    BadExport(
        "a row with a field too few",
        HEADER + "1,Ana,\n2,Ion\n3,Eva,\n",
        loaded=("1", "3"),
        rejected={2: "2 " + FEW},
    ),
    BadExport(
        "a row with a field too many",
        HEADER + "1,Ana,\n2,Ion,a,b\n3,Eva,\n",
        loaded=("1", "3"),
        rejected={2: "4 " + FEW},
    ),
    BadExport(
        "a delimiter at the end of every row",
        HEADER + "1,Ana,x,\n2,Ion,y,\n",
        rejected={1: "4 " + FEW, 2: "4 " + FEW},
    ),
    BadExport(
        "rows with another delimiter than the header",
        HEADER + "1;Ana;x\n2;Ion;y\n",
        rejected={1: "1 " + FEW, 2: "1 " + FEW},
    ),
    BadExport("blank lines", HEADER + "\n1,a,\n\r\n\n2,b,\n\n", loaded=("1", "2")),
    BadExport(
        "a line of blanks",
        HEADER + "1,a,\n   \n",
        loaded=("1",),
        rejected={2: "1 " + FEW},
    ),
    BadExport(
        "a last line with the total",
        HEADER + "1,Ana,\n2,Ion,\nTotal: 2\n",
        loaded=("1", "2"),
        rejected={3: "1 " + FEW},
    ),
    BadExport(
        "a last row that was cut off",
        HEADER + "1,Ana,\n2,Io",
        loaded=("1",),
        rejected={2: "2 " + FEW},
    ),
    BadExport(
        "a last quote that was cut off",
        HEADER + '1,Ana,\n2,"Io',
        loaded=("1",),
        rejected={2: "a quoted field that is never closed"},
    ),
    BadExport(
        "a quote that is never closed amid rows",
        HEADER + '1,Ana,\n2,"Ion,x\n3,Eva,\n4,Li,\n',
        loaded=("1",),
        rejected={2: "a quoted field that is never closed"},
    ),
    BadExport(
        "a quote in the middle of a field",
        HEADER + '1,5" tv,a\n2,b,c\n3,6" tv,d\n',
        loaded=("1", "2", "3"),
    ),
    BadExport(
        "quotes that a backslash escapes",
        HEADER + '1,a,b\n2,"a \\"q\\" b",c\n3,d,e\n',
        loaded=("1", "3"),
        rejected={2: AFTER_QUOTE},
    ),
    BadExport(
        "text after a closing quote",
        HEADER + '1,"Li" x,y\n2,Ion,\n',
        loaded=("2",),
        rejected={1: AFTER_QUOTE},
    ),
    BadExport(
        "the rest of a malformed row that looks like a row",
        HEADER + '1,"a\nb "x" c\nd, e" g",h\n2,Ion,ok\n',
        loaded=("2",),
        rejected={1: AFTER_QUOTE, 2: "stray quotes after a malformed row"},
    ),
    BadExport(
        "a carriage return alone in a field",
        HEADER + "1,A\rna,\n2,Ion,\n",
        loaded=("2",),
        rejected={1: "a carriage return outside quotes"},
    ),
    BadExport(
        "a carriage return alone within quotes",
        HEADER + '1,"A\rna",\n2,Ion,\n',
        loaded=("1", "2"),
    ),
    BadExport(
        "line ends of both kinds", HEADER + "1,Ana,\r\n2,Ion,\n", loaded=("1", "2")
    ),
    BadExport(
        "two exports put into one file",
        HEADER + "1,Ana,\n" + HEADER + "2,Ion,\n",
        loaded=("1", "2"),
        rejected={2: "the header comes again"},
    ),
    BadExport(
        "two exports with byte order marks put into one file",
        ("\ufeff" + HEADER + "1,Ana,\r\n") * 2,
        loaded=("1", "1"),
        rejected={2: "the header comes again"},
    ),
    BadExport(
        "the end mark of a COPY",
        HEADER + "1,Ana,\n\\.\n2,Ion,\n",
        loaded=("1", "2"),
        rejected={2: "1 " + FEW},
    ),
    BadExport(
        "a name that comes three thousand times",
        "id" + ",x" * 3_000 + "\n1" + ",2" * 3_000 + "\n",
        loaded=("1",),
    ),
    BadExport(
        "an undeclared column with a very long name",
        f"id,{LONG_NAME},{LONG_NAME}b\n1,x,y\n",
        loaded=("1",),
    ),
    BadExport(
        "a field of nine million characters",
        HEADER + "1," + "x" * 9_000_000 + ",\n2,Ion,\n",
        loaded=("2",),
        rejected={1: "a field longer than 8 million characters"},
    ),
    BadExport(
        "a row of a million fields",
        HEADER + "1,Ana" + "," * 1_000_000 + "\n2,Ion,\n",
        loaded=("2",),
        rejected={1: "1000002 " + FEW},
    ),
]


@pytest.mark.parametrize("bad", REFUSED, ids=str)
def test_a_file_that_is_no_table_is_refused(
    bad_night: BadNight, bad: BadExport
) -> None:
    bad_night.check(bad)


@pytest.mark.parametrize("bad", LOADED, ids=str)
def test_a_bad_row_is_rejected_alone(bad_night: BadNight, bad: BadExport) -> None:
    bad_night.check(bad)
