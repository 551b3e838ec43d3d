"""Values that are wrong but can be read: raw keeps them as they were sent.

What they mean is judged in staging, which quarantines what it cannot type.
"""

import pytest

from tests.include.loading.bad_exports.bad_night import HEADER, BadExport, BadNight

VALUES = {
    "a day that is in no calendar": "2026-02-30",
    "a month that is none": "2026-13-01",
    "a date in the order of another country": "20/11/2026",
    "a clock that is none": "25:61:61",
    "a year beyond the calendar": "99999-01-01",
    "a date of zeros": "0000-00-00",
    "a number in words of another country": "1.234,56",
    "a number that is not finite": "NaN",
    "an exponent beyond all": "1e999999",
    "leading zeros": "007",
    "a number that a spreadsheet shortened": "1.23457E+15",
    "a negative zero": "-0",
    "digits of another script": "١٢٣",
    "an empty value of another system": r"\N",
    "the word null": "NULL",
    "an error of a spreadsheet": "#REF!",
    "a formula that a spreadsheet would run": "=HYPERLINK(A1)",
    "a statement of a database": "1'; drop table raw_shop.orders; --",
    "a template": "{{ env_var('HOME') }} %(x)s {0} $1",
    "a piece of a page": "<script>alert(1)</script>",
    "blanks around": " 1 ",
    "a blank that does not break": "1\xa0",
    "a letter with its accent apart": "Joa\u0303o",
    "a very long key": "k" * 100_000,
    "a number beyond all columns": "9" * 400,
}
CASES = [
    BadExport(case, f"{HEADER}{value},a,b\n", loaded=(value,))
    if "," not in value
    else BadExport(case, f'{HEADER}"{value}",a,b\n', loaded=(value,))
    for case, value in VALUES.items()
]


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_a_value_that_staging_has_to_judge_arrives_as_sent(
    bad_night: BadNight, bad: BadExport
) -> None:
    bad_night.check(bad)
