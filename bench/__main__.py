"""Run the benchmarks: a table on stdout, the figures in build/bench.json.

`python -m bench [--customers 200000] [name ...]` runs all of them or those named.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import backfill, health, loading, nights, sessions
from bench.server import running_server
from include.settings import PROJECT_FOLDER

BUILD_FOLDER = PROJECT_FOLDER / "build"

# What each figure may be at most.
LIMITS = {
    "load_csv_ratio_to_copy": 1.5,
    "load_csv_peak_mb": 300,
    "load_csv_10x_peak_mb": 300,
    "night_history_ratio": 1.3,
    "build_sql_ratio": 1.5,
    "slowest_model_share_of_night": 0.25,
    "backfill_seconds": 300,
    "backfill_bulk_ratio": 1.5,
}
DEFAULT_CUSTOMERS = 200_000
# The first after the history still makes things, and is left out of the median.
DEFAULT_NIGHTS = 5

Bench = Callable[[str, Path], dict[str, float]]
BENCHES: dict[str, Bench] = {
    "csv": loading.bench_csv,
    "csv_10x": loading.bench_csv_10x,
    "json": loading.bench_json,
    "xlsx": loading.bench_xlsx,
    "snapshot": loading.bench_snapshot,
    "small_loads": loading.bench_small_loads,
    "backfill": backfill.bench_backfill,
    "health": health.bench_health,
    "sessions": sessions.bench_sessions,
}


def main() -> int:
    """Run the benchmarks; 1 when a figure is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--customers", type=int, default=DEFAULT_CUSTOMERS)
    parser.add_argument("--nights", type=int, default=DEFAULT_NIGHTS)
    parser.add_argument("names", nargs="*", metavar="name", help="history and others")
    asked = parser.parse_args()
    benches = {
        **BENCHES,
        "history": partial(
            nights.bench_history, customers=asked.customers, count=asked.nights
        ),
    }
    report = BUILD_FOLDER / "bench.json"
    figures = json.loads(report.read_text()) if report.exists() else {}
    folder = BUILD_FOLDER / "bench"
    measured: dict[str, float] = {}
    with running_server(folder / "postgres") as url:
        for name in asked.names or benches:
            print(f"bench {name} …", file=sys.stderr, flush=True)
            measured |= benches[name](url, folder / "landing")
    print(f"\n{'figure':<52}{'value':>14}{'at most':>10}")
    for name, value in measured.items():
        limit = LIMITS.get(name)
        flag = "" if limit is None else f"{limit:>10,.2f}"
        if limit is not None and value > limit:
            flag += "  over"
        print(f"{name:<52}{value:>14,.2f}{flag}")
    figures |= {name: round(value, 4) for name, value in measured.items()}
    report.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(measured.get(name, 0) > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
