"""`python -m include.sample_exports --landing <folder or s3 url>`."""

import argparse
import logging
import sys
import time
from datetime import date
from pathlib import Path

from include.errors import WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from include.sample_exports.parameters import (
    DEFAULT_CUSTOMERS,
    DEFAULT_LAST_NIGHT,
    DEFAULT_NIGHTS,
    DEFAULT_SEED,
    DEFAULT_TIME_ZONE,
)


def main(arguments: list[str] | None = None) -> int:
    """Write the sample that the arguments describe. Returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asked = _read_arguments(arguments)
    started = time.monotonic()
    try:
        truth = write_sample_exports(
            asked.landing,
            SampleParameters(
                customers=asked.customers,
                nights=asked.nights,
                seed=asked.seed,
                last_night=asked.last_night,
                reporting_time_zone=asked.time_zone,
                first_export_nights=asked.first_export,
                rows_only=asked.rows_only,
            ),
            asked.truth,
        )
    except WarehouseError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{truth['customers']} customers, nights {truth['first_night']} to "
        f"{truth['last_night']}, {truth['responses']} responses in {asked.landing}, "
        f"{time.monotonic() - started:.1f} s"
    )
    return 0


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m include.sample_exports",
        description="Write a sample company's exports and truth.json.",
    )
    parser.add_argument("--landing", required=True, help="folder or s3://bucket/prefix")
    parser.add_argument("--customers", type=int, default=DEFAULT_CUSTOMERS)
    parser.add_argument("--nights", type=int, default=DEFAULT_NIGHTS)
    parser.add_argument(
        "--first-export",
        type=int,
        default=1,
        metavar="N",
        help="deliver the first N nights together, as one export of night N",
    )
    parser.add_argument(
        "--rows-only",
        action="store_true",
        help="truth.json counts rows and nothing else: for large samples",
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument(
        "--last-night", type=date.fromisoformat, default=DEFAULT_LAST_NIGHT
    )
    parser.add_argument("--time-zone", default=DEFAULT_TIME_ZONE, help="reporting zone")
    parser.add_argument("--truth", type=Path, help="copy truth.json to this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
