"""Bars as inline SVG, for rows of tables: contributions to a change, and a funnel.

In: movers and stages. Out: markup without colours of its own, as in `charts`; the
figures stand beside each bar in its row.
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

from include.scorecard.journey import Stage, describe_stage
from include.scorecard.moves import Move, Mover
from include.scorecard.words import say_points, say_value

BAR_WIDTH = 180
BAR_HEIGHT = 22
FUNNEL_WIDTH = 300


def measure_moves(move: Move) -> float:
    """Find the largest part of any contribution: the reach of the bars, in points."""
    return max(
        (max(abs(mover.rate_points), abs(mover.mix_points)) for mover in move.movers),
        default=1.0,
    )


def draw_mover(mover: Mover, reach: float) -> Markup:
    """Draw rate above mix, to the right of the middle where they raise the score."""
    middle = BAR_WIDTH / 2
    parts = [
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="0" y2="{BAR_HEIGHT}"/>'
    ]
    for kind, points, top in (
        ("rate", mover.rate_points, 2),
        ("mix", mover.mix_points, 12),
    ):
        width = round(abs(points) / reach * (middle - 4), 1) if reach else 0.0
        left = middle if points > 0 else middle - width
        parts.append(
            f'<rect class="{kind}" x="{round(left, 1)}" y="{top}" width="{width}"'
            ' height="8" rx="1.5"/>'
        )
    title = (
        f"{say_value(mover.breakdown_value, mover.dimension)}:"
        f" {say_points(mover.rate_points, mover.metric)} by rate,"
        f" {say_points(mover.mix_points, mover.metric)} by mix"
    )
    return _wrap("bars", title, BAR_WIDTH, BAR_HEIGHT, parts)


def draw_stage(stage: Stage, stages: Sequence[Stage]) -> Markup:
    """Draw the journeys that entered a stage, and over them those that went on."""
    most = max(other.journeys_entered for other in stages)
    parts = [
        f'<rect class="{kind}" x="0" y="{top}" height="{height}" rx="2"'
        f' width="{round((count or 0) / most * FUNNEL_WIDTH, 1)}"/>'
        for kind, count, top, height in (
            ("entered", stage.journeys_entered, 1, 20),
            ("converted", stage.converted_journeys, 6, 10),
        )
    ]
    return _wrap("bars", describe_stage(stage), FUNNEL_WIDTH, BAR_HEIGHT, parts)


def _wrap(
    kind: str, title: str, width: float, height: float, parts: Sequence[str]
) -> Markup:
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
