"""Compare a load with the other loads of its feed.

In: what was counted in a load and in those before it. Out: a `Comparison`, the part of
a load profile that needs the feed's past. Every figure is null while there is too
little past for it to mean something: a young feed or a feed of ten rows a night raises
no alarm for being young or small.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from statistics import median

from expectations.raw import SMALLEST_SNAPSHOT_RATIO
from include.gates.load_contents import LoadContents

# Lists that stay exactly the same are only worth a remark from this size on.
SMALLEST_CHANGING_LIST = 10_000
# A list that was another one last night does not become an older one again by chance.
SMALLEST_OLD_LIST = 100
# Under this many usual rows, chance alone moves the volume of a night too much.
SMALLEST_USUAL_ROWS = 30
SMALLEST_USUAL_ROWS_TO_HOLD = 100
# How far back a load is compared: eight weeks hold eight of each weekday.
HISTORY_DAYS = 56
RECENT_LOADS = 14
FEWEST_RECENT_LOADS = 7
FEWEST_SAME_WEEKDAYS = 3
# A share of filled rows is only trusted over this many rows.
FEWEST_ROWS_FOR_A_SHARE = 50


@dataclass(frozen=True)
class PastLoad:
    """What was counted in a load; `keys` are distinct natural keys."""

    load_id: int
    batch_date: date
    content_hash: str
    rows: int
    keys: int
    filled_rows: Mapping[str, int]
    contents: LoadContents = field(default_factory=LoadContents)


@dataclass(frozen=True)
class Comparison:
    """How a load compares; None wherever there is too little to compare with.

    Ratios are this load over the other: 0.5 is half of it. `fill_drop` is the share of
    the usual values that `emptied_column` lacks: 1 is all of them.
    """

    reference_date: date | None = None
    reference_keys: int | None = None
    snapshot_ratio: float | None = None
    usual_rows: float | None = None
    volume_ratio: float | None = None
    weekday_volume_ratio: float | None = None
    in_force_rows: int | None = None
    in_force_ratio: float | None = None
    emptied_column: str | None = None
    fill_drop: float | None = None
    same_content_date: date | None = None
    unchanged_since: date | None = None


class FeedHistory:
    """The loads of one feed that are in force, and the waiting ones seen so far."""

    def __init__(
        self,
        is_snapshot: bool,
        in_force: Iterable[PastLoad],
        dates_by_content: Mapping[str, Iterable[date]],
    ) -> None:
        self._is_snapshot = is_snapshot
        self._in_force = {load.batch_date: load for load in in_force}
        self._loads = dict(self._in_force)
        self._dates = sorted(self._loads)
        self._dates_by_content = {
            content: set(dates) for content, dates in dates_by_content.items()
        }

    def list_earlier(self, batch_date: date) -> list[PastLoad]:
        """The loads of the weeks before, oldest first; of a longer pause, the last.

        However long the range is that a load waits in, it is compared with the same
        loads as in a night of its own.
        """
        end = bisect_left(self._dates, batch_date)
        start = bisect_left(self._dates, batch_date - timedelta(days=HISTORY_DAYS))
        return [self._loads[day] for day in self._dates[min(start, end - 1) : end]]

    def compare(self, load: PastLoad) -> Comparison:
        """Compare a load with those of earlier dates and with the one it replaces."""
        earlier = self.list_earlier(load.batch_date)
        in_force = self._in_force.get(load.batch_date)
        emptied_column, fill_drop = _find_emptied_column(load, earlier)
        comparison = Comparison(
            in_force_rows=in_force.rows if in_force else None,
            in_force_ratio=(
                load.rows / in_force.rows
                if in_force and in_force.rows >= SMALLEST_USUAL_ROWS
                else None
            ),
            emptied_column=emptied_column,
            fill_drop=fill_drop,
        )
        same_content = self._dates_by_content.get(load.content_hash, set())
        other_dates = sorted(same_content - {load.batch_date}) if load.rows else []
        if self._is_snapshot:
            reference = earlier[-1] if earlier else None
            is_unchanged = bool(other_dates) and load.rows >= SMALLEST_CHANGING_LIST
            is_another = (
                reference is not None
                and reference.content_hash != load.content_hash
                and load.rows >= SMALLEST_OLD_LIST
            )
            older_dates = [day for day in other_dates if day < load.batch_date]
            return replace(
                comparison,
                reference_date=reference.batch_date if reference else None,
                reference_keys=reference.keys if reference else None,
                snapshot_ratio=(
                    load.keys / reference.keys if reference and reference.keys else None
                ),
                unchanged_since=other_dates[0] if is_unchanged else None,
                same_content_date=older_dates[-1]
                if is_another and older_dates
                else None,
            )
        usual_rows, weekday_rows = _find_usual_rows(load, earlier)
        return replace(
            comparison,
            usual_rows=usual_rows,
            volume_ratio=load.rows / usual_rows if usual_rows else None,
            weekday_volume_ratio=load.rows / weekday_rows if weekday_rows else None,
            same_content_date=other_dates[0] if other_dates else None,
        )

    def add(
        self, load: PastLoad, comparison: Comparison, *, is_another_list: bool = False
    ) -> None:
        """Let later loads be compared with this one, unless it is evidently broken."""
        ratio = comparison.snapshot_ratio
        is_cut_off = ratio is not None and ratio < SMALLEST_SNAPSHOT_RATIO
        if self._is_snapshot and (not load.rows or is_cut_off or is_another_list):
            return
        if load.batch_date not in self._loads:
            insort(self._dates, load.batch_date)
        self._loads[load.batch_date] = load
        if load.rows:
            dates = self._dates_by_content.setdefault(load.content_hash, set())
            dates.add(load.batch_date)


def _find_usual_rows(
    load: PastLoad, earlier: list[PastLoad]
) -> tuple[float | None, float | None]:
    """Find the usual rows of such a night; the second only where it is dependable."""
    same_weekday = [
        past.rows
        for past in earlier
        if past.batch_date.weekday() == load.batch_date.weekday()
    ]
    recent = [past.rows for past in earlier[-RECENT_LOADS:]]
    if len(same_weekday) >= FEWEST_SAME_WEEKDAYS:
        usual = median(same_weekday)
        is_dependable = min(same_weekday) >= SMALLEST_USUAL_ROWS_TO_HOLD
        dependable = usual if is_dependable else None
    elif len(recent) >= FEWEST_RECENT_LOADS:
        usual, dependable = median(recent), None
    else:
        return None, None
    return (usual if usual >= SMALLEST_USUAL_ROWS else None), dependable


def _find_emptied_column(
    load: PastLoad, earlier: list[PastLoad]
) -> tuple[str | None, float | None]:
    """Find the required column that lost most against its worst recent load."""
    recent = [
        past for past in earlier[-RECENT_LOADS:] if past.rows >= FEWEST_ROWS_FOR_A_SHARE
    ]
    if len(recent) < FEWEST_RECENT_LOADS or load.rows < FEWEST_ROWS_FOR_A_SHARE:
        return None, None
    drops = {}
    for column, filled in load.filled_rows.items():
        lowest_share = min(
            past.filled_rows.get(column, 0) / past.rows for past in recent
        )
        # As many values as a trusted share needs rows, or chance could empty it.
        if lowest_share * load.rows >= FEWEST_ROWS_FOR_A_SHARE:
            drops[column] = 1 - filled / load.rows / lowest_share
    if not drops:
        return None, None
    worst = max(drops, key=lambda column: drops[column])
    drop = max(drops[worst], 0.0)
    return (worst if drop > 0 else None), drop
