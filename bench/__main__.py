"""Run the benchmarks: a table on stdout, the figures in build/bench.json.

`python -m bench [name ...]` runs all of them or those named.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from bench import loading
from bench.server import running_server
from include.settings import PROJECT_FOLDER

BUILD_FOLDER = PROJECT_FOLDER / "build"

# What each figure may be at most.
LIMITS = {
    "load_csv_ratio_to_copy": 1.5,
    "load_csv_peak_mb": 300,
    "load_csv_10x_peak_mb": 300,
}

Bench = Callable[[str, Path], dict[str, float]]
BENCHES: dict[str, Bench] = {
    "csv": loading.bench_csv,
    "csv_10x": loading.bench_csv_10x,
    "json": loading.bench_json,
    "xlsx": loading.bench_xlsx,
    "snapshot": loading.bench_snapshot,
    "small_loads": loading.bench_small_loads,
}


def main() -> int:
    """Run the benchmarks; 1 when a figure is over its limit."""
    wanted = sys.argv[1:] or list(BENCHES)
    report = BUILD_FOLDER / "bench.json"
    figures = json.loads(report.read_text()) if report.exists() else {}
    folder = BUILD_FOLDER / "bench"
    measured: dict[str, float] = {}
    with running_server(folder / "postgres") as url:
        for name in wanted:
            print(f"bench {name} …", file=sys.stderr, flush=True)
            measured |= BENCHES[name](url, folder / "landing")
    print(f"\n{'figure':<36}{'value':>14}{'at most':>10}")
    for name, value in measured.items():
        limit = LIMITS.get(name)
        flag = "" if limit is None else f"{limit:>10,.1f}"
        if limit is not None and value > limit:
            flag += "  over"
        print(f"{name:<36}{value:>14,.2f}{flag}")
    figures |= {name: round(value, 4) for name, value in measured.items()}
    report.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(measured.get(name, 0) > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
