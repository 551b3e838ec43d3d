"""Charts as inline SVG: trends with their interval band, and ranges in table rows.

In: scores. Out: markup without colours of its own: classes that the page's style sheet
paints, so that light, dark and print come from one place. Every chart has a title and
a description, and a table with the same figures stands beside it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from markupsafe import Markup, escape

from include.scorecard.content import Section
from include.scorecard.scores import Metric, Score
from include.scorecard.verdicts import count_kinds
from include.scorecard.words import MINUS, say_number, say_period

SCALES: dict[Metric, tuple[float, float]] = {
    "nps": (-100.0, 100.0),
    "csat": (0.0, 100.0),
    "ces": (1.0, 7.0),
    "easy_share": (0.0, 100.0),
}
STEPS: dict[Metric, tuple[float, ...]] = {
    "nps": (5.0, 10.0, 20.0, 25.0, 50.0),
    "csat": (2.0, 5.0, 10.0, 20.0, 25.0, 50.0),
    "ces": (0.1, 0.2, 0.5, 1.0, 2.0),
    "easy_share": (2.0, 5.0, 10.0, 20.0, 25.0, 50.0),
}
TREND_WIDTH = 600
TREND_HEIGHT = 240
RANGE_WIDTH = 260
RANGE_HEIGHT = 24


@dataclass(frozen=True)
class Axis:
    """A stretch of a metric's scale with round ticks, mapped to pixels."""

    ticks: tuple[float, ...]
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return the pixel of a value, inside the axis."""
        low, high = self.ticks[0], self.ticks[-1]
        share = (min(max(value, low), high) - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)


def fit_axis(
    scores: Iterable[Score], metric: Metric, start: float, end: float, most: int = 6
) -> Axis:
    """Fit an axis around shown scores, intervals and targets, in round steps."""
    lowest, highest = SCALES[metric]
    shown = [score for score in scores if score.is_shown]
    values = [
        value
        for score in shown
        for value in (score.score, score.low_95, score.high_95, score.target)
        if value is not None
    ] or [lowest, highest]
    for step in STEPS[metric]:
        low = max(lowest, math.floor(min(values) / step) * step)
        high = min(highest, math.ceil(max(values) / step) * step)
        if high <= low:
            high = min(highest, low + step)
            low = min(low, high - step)
        count = math.ceil(round((high - low) / step, 6)) + 1
        if count <= most:
            break
    ticks = [round(low + number * step, 6) for number in range(count)]
    ticks[-1] = high
    return Axis(tuple(ticks), start, end)


def draw_trend(
    scores: Sequence[Score], metric: Metric, name: str, title: str
) -> Markup:
    """Draw scores over time, with the 95 % band, and gaps where there is none."""
    left, right, top, bottom = 46.0, TREND_WIDTH - 58.0, 14.0, TREND_HEIGHT - 30.0
    axis = fit_axis(scores, metric, bottom, top)
    places = _place_periods(scores, left + 12, right - 12)
    parts = [_draw_grid(axis, metric, left, right)]
    parts += [
        f'<text class="tick" x="{x}" y="{TREND_HEIGHT - 8}" text-anchor="middle">'
        f"{escape(label)}</text>"
        for x, label in _label_periods(scores, places)
    ]
    parts += _draw_targets(scores, places, axis)
    for stretch in _split_stretches(scores, places):
        parts += _draw_stretch(stretch, axis)
    shown = [(score, x) for score, x in zip(scores, places, strict=True)]
    for score, x in shown:
        if score.is_shown and score.score is not None:
            parts.append(_draw_point(score, x, axis.place(score.score)))
    last = next(((s, x) for s, x in reversed(shown) if s.is_shown), None)
    if last and last[0].score is not None:
        score, x = last
        parts.append(
            f'<text class="value" x="{x + 9}" y="{axis.place(score.score or 0) + 4.5}">'
            f"{escape(say_number(score.score, metric))}</text>"
        )
    description = "; ".join(
        f"{say_period(score)}: {say_number(score.score, metric)}"
        for score, _ in shown
        if score.is_shown
    )
    return _wrap(
        "trend", name, title, description, TREND_WIDTH, TREND_HEIGHT, "".join(parts)
    )


def draw_range(score: Score | None, axis: Axis, title: str) -> Markup:
    """Draw a score as a dot on its interval, for one row of a table."""
    middle = RANGE_HEIGHT / 2
    parts = [
        f'<line class="grid" x1="{axis.place(tick)}" x2="{axis.place(tick)}" y1="0"'
        f' y2="{RANGE_HEIGHT}"/>'
        for tick in axis.ticks
    ]
    if axis.ticks[0] < 0 < axis.ticks[-1]:
        zero = axis.place(0)
        parts.append(
            f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="{RANGE_HEIGHT}"/>'
        )
    if score is not None and score.is_shown and score.score is not None:
        if score.low_95 is not None and score.high_95 is not None:
            low, high = axis.place(score.low_95), axis.place(score.high_95)
            parts.append(
                f'<rect class="interval" x="{low}" y="{middle - 4}" rx="4"'
                f' width="{max(round(high - low, 1), 1)}" height="8"/>'
            )
        if score.target is not None:
            target = axis.place(score.target)
            parts.append(
                f'<line class="target" x1="{target}" x2="{target}" y1="3"'
                f' y2="{RANGE_HEIGHT - 3}"/>'
            )
        parts.append(_draw_point(score, axis.place(score.score), middle))
    return Markup(
        f'<svg class="range" viewBox="0 0 {RANGE_WIDTH} {RANGE_HEIGHT}"'
        f' role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def draw_scale(axis: Axis, metric: Metric) -> Markup:
    """Draw the ticks above a column of ranges; the figures stand in the rows."""
    ticks = "".join(
        f'<text class="tick" x="{axis.place(tick)}" y="13" text-anchor="middle">'
        f"{escape(_say_tick(tick, metric))}</text>"
        for tick in axis.ticks
    )
    return Markup(
        f'<svg class="range scale" viewBox="0 0 {RANGE_WIDTH} 18"'
        f' aria-hidden="true">{ticks}</svg>'
    )


def fit_range_axis(scores: Iterable[Score | None], metric: Metric) -> Axis:
    """Fit the axis that all the rows of a section share."""
    present = [score for score in scores if score is not None]
    return fit_axis(present, metric, 16.0, RANGE_WIDTH - 16.0, most=7)


def fit_section_axis(section: Section) -> Axis:
    """Fit the axis that all the breakdown rows of a section share."""
    scores = [row.score for rows in section.breakdowns.values() for row in rows]
    return fit_range_axis(scores, section.metric)


def fit_full_axis(metric: Metric) -> Axis:
    """The metric's whole scale, from end to end, with its middle."""
    low, high = SCALES[metric]
    return Axis((low, (low + high) / 2, high), 6.0, RANGE_WIDTH - 6.0)


def draw_split(score: Score, title: str) -> Markup:
    """Draw detractors, passives and promoters as shares of one bar."""
    counts = count_kinds(score)
    total = sum(count for _, count in counts)
    parts, x = [], 0.0
    for kind, count in counts:
        width = round(count / total * 300, 1) if total else 0.0
        parts.append(
            f'<rect class="{kind}" x="{round(x, 1)}" y="0" width="{width}"'
            ' height="10"/>'
        )
        x += width
    return Markup(
        '<svg class="split" viewBox="0 0 300 10" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _draw_grid(axis: Axis, metric: Metric, left: float, right: float) -> str:
    lines = []
    for tick in axis.ticks:
        y = axis.place(tick)
        kind = "zero" if metric == "nps" and tick == 0 else "grid"
        lines.append(
            f'<line class="{kind}" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
            f'<text class="tick" x="{left - 8}" y="{y + 4}" text-anchor="end">'
            f"{escape(_say_tick(tick, metric))}</text>"
        )
    return "".join(lines)


def _draw_stretch(stretch: Sequence[tuple[Score, float]], axis: Axis) -> list[str]:
    """Draw band and line over neighbouring periods; towards a running one dashed."""
    banded = [
        (x, axis.place(score.low_95), axis.place(score.high_95))
        for score, x in stretch
        if score.low_95 is not None and score.high_95 is not None
    ]
    parts = []
    if len(banded) > 1:
        upper = [f"{x},{high}" for x, _, high in banded]
        lower = [f"{x},{low}" for x, low, _ in reversed(banded)]
        parts.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
    elif banded:
        x, low, high = banded[0]
        parts.append(
            f'<rect class="band" x="{x - 3}" y="{high}" width="6"'
            f' height="{max(round(low - high, 1), 1)}" rx="3"/>'
        )
    for (before, x1), (after, x2) in pairwise(stretch):
        kind = "line" if after.is_complete_period else "line running"
        parts.append(
            f'<line class="{kind}" x1="{x1}" y1="{axis.place(before.score or 0)}"'
            f' x2="{x2}" y2="{axis.place(after.score or 0)}"/>'
        )
    return parts


def _draw_targets(
    scores: Sequence[Score], places: Sequence[float], axis: Axis
) -> list[str]:
    """Draw the target of each period as a level line, half-way to its neighbours."""
    ends = [places[0] - 12, *map(_find_middle, pairwise(places)), places[-1] + 12]
    return [
        f'<line class="goal" x1="{start}" x2="{end}" y1="{axis.place(score.target)}"'
        f' y2="{axis.place(score.target)}"/>'
        for score, (start, end) in zip(scores, pairwise(ends), strict=True)
        if score.is_shown and score.target is not None
    ]


def _find_middle(neighbours: tuple[float, float]) -> float:
    return round(sum(neighbours) / 2, 1)


def _draw_point(score: Score, x: float, y: float) -> str:
    kind = "point" if score.sample_status == "reportable" else "point hint"
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="4.5"/>'


def _split_stretches(
    scores: Sequence[Score], places: Sequence[float]
) -> list[list[tuple[Score, float]]]:
    """Split the scores where a period is missing or may not be shown."""
    stretches: list[list[tuple[Score, float]]] = [[]]
    before: Score | None = None
    for score, x in zip(scores, places, strict=True):
        if before is not None and _count_periods(before, score) != 1:
            stretches.append([])
        if score.is_shown:
            stretches[-1].append((score, x))
        else:
            stretches.append([])
        before = score
    return [stretch for stretch in stretches if stretch]


def _place_periods(scores: Sequence[Score], start: float, end: float) -> list[float]:
    if not scores:
        return []
    spans = [_count_periods(scores[0], score) for score in scores]
    whole = max(spans[-1], 1)
    return [round(start + (end - start) * span / whole, 1) for span in spans]


def _label_periods(
    scores: Sequence[Score], places: Sequence[float]
) -> list[tuple[float, str]]:
    """Label as many periods as fit, counted back from the last one."""
    every = math.ceil(len(scores) / 7)
    labels = []
    for back, (score, x) in enumerate(
        zip(reversed(scores), reversed(places), strict=True)
    ):
        if back % every == 0:
            labels.append((x, _label_period(score.period_grain, score.period_start)))
    return labels[::-1]


def _label_period(grain: str, start: date) -> str:
    if grain == "week":
        return f"{start.day} {start:%b}"
    return f"{start:%b %Y}" if start.month == 1 else f"{start:%b}"


def _count_periods(first: Score, last: Score) -> int:
    """Count the periods from one score's to another's."""
    if first.period_grain == "week":
        return (last.period_start - first.period_start).days // 7
    years = last.period_start.year - first.period_start.year
    return years * 12 + last.period_start.month - first.period_start.month


def _say_tick(tick: float, metric: Metric) -> str:
    if metric == "nps":
        return f"{tick:+.0f}".replace("-", MINUS) if tick else "0"
    return f"{tick:g}"


def _wrap(
    kind: str,
    name: str,
    title: str,
    description: str,
    width: float,
    height: float,
    body: str,
) -> Markup:
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img"'
        f' aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>{body}</svg>'
    )
