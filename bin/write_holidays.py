"""Write the seed of public holidays anew: dbt_project/seeds/holidays.csv.

In: the library `holidays` (PyPI; its sources are each country's laws and official
gazettes), for the regions and years below. Out: one row per region and day. Days on
which offices open for a part of the day are the library's optional days of Brazil, by
the hours of the federal government's yearly ordinance. Run it when a region or a year
is added; a test compares the seed with what this writes.
"""

import csv
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import holidays

SEED = Path(__file__).parent.parent / "dbt_project" / "seeds" / "holidays.csv"
YEARS = range(2015, 2037)
# A country, or a part of one: ISO 3166.
REGIONS = ("BR", "BR-RJ", "BR-SP", "ES", "ES-CT", "ES-MD", "RO")
# Optional days of Brazil, and from when to when offices open.
PARTIAL_DAYS = {
    "Ash Wednesday": ("14:00", "18:00"),
    "Christmas Eve": ("09:00", "14:00"),
    "New Year's Eve": ("09:00", "14:00"),
}
HEADER = ("holiday_region", "holiday_date", "holiday_name", "opens_at", "closes_at")


def list_rows() -> Iterator[tuple[str, str, str, str, str]]:
    """The seed's rows, by region and day; no hours: closed all day."""
    for region in REGIONS:
        country, _, part = region.partition("-")
        days = {day: (name, "", "") for day, name in find_days(country, part, "public")}
        if country == "BR":
            for day, name in find_days(country, part, "optional"):
                if name in PARTIAL_DAYS:
                    days.setdefault(day, (name, *PARTIAL_DAYS[name]))
        for day in sorted(days):
            yield (region, day.isoformat(), *days[day])


def find_days(country, part, category):
    """The days and English names that the library knows, in no order."""
    return holidays.country_holidays(
        country,
        subdiv=part or None,
        years=YEARS,
        language="en_US",
        categories=(category,),
    ).items()


def compose_seed() -> str:
    """The whole file."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(list_rows())
    return text.getvalue()


if __name__ == "__main__":
    SEED.write_text(compose_seed())
    sys.stdout.write(f"{SEED.name}: {sum(1 for _ in list_rows())} rows\n")
