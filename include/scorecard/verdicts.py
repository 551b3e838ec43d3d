"""What to make of a score: its sample, its change, its target, its weighting.

In: published scores. Out: short sentences. Whether a change is more than chance would
explain is never judged here: ``is_significant_change`` of the marts says it.
"""

from include.scorecard.scores import Score
from include.scorecard.words import (
    EN_DASH,
    NO_BREAK,
    say_number,
    say_size,
)

NOT_SHOWN = "not shown (too few)"


def say_score(score: Score) -> str:
    """The score, or why it is not shown."""
    if score.is_shown:
        return say_number(score.score, score.metric)
    if score.hidden_as == "incomplete":
        return f"not shown until the {score.period_grain} is over"
    return NOT_SHOWN


def say_responses(score: Score | None) -> str:
    """How many answered; nothing where that would tell who did."""
    if score is None:
        return "0"
    return EN_DASH if score.responses is None else f"{score.responses:,}"


def say_interval(score: Score) -> str:
    """Its 95 % interval."""
    if not score.is_shown or score.low_95 is None or score.high_95 is None:
        return EN_DASH
    low, high = (say_number(end, score.metric) for end in (score.low_95, score.high_95))
    return f"{low} to {high}"


def say_range(score: Score | None) -> str:
    """What a range chart shows."""
    if score is None:
        return "no answers"
    if not score.is_shown:
        return say_score(score)
    target = (
        f", target {say_number(score.target, score.metric)}"
        if score.target is not None
        else ""
    )
    return f"{say_score(score)}, {say_interval(score)}{target}"


def say_split(score: Score) -> str:
    """Promoters, passives and detractors."""
    return ", ".join(f"{count:,} {kind}" for kind, count in count_kinds(score))


def count_kinds(score: Score) -> list[tuple[str, int]]:
    """How many answered in each of the three kinds of the NPS."""
    return [
        ("detractors", score.detractors or 0),
        ("passives", score.passives or 0),
        ("promoters", score.promoters or 0),
    ]


def describe_easy_share(share: Score | None) -> str:
    """The share of easy answers, with its interval; empty without one."""
    if share is None or not share.is_shown:
        return ""
    return (
        f"{say_score(share)} found it easy (5 to 7 out of 7); with 95{NO_BREAK}%"
        f" confidence {say_interval(share)}. {describe_target(share)}".strip()
    )


def describe_target(score: Score | None) -> str:
    """The target that is set for a score, and how far off it is; empty without."""
    if score is None or not score.is_shown:
        return ""
    if score.target is None or score.gap_to_target is None:
        return ""
    low, high = score.low_95, score.high_95
    is_inside = low is not None and high is not None and low <= score.target <= high
    return (
        f"Target {say_number(score.target, score.metric)}:"
        f" {say_gap(score)}{', inside the interval' if is_inside else ''}."
    )


def say_gap(score: Score | None) -> str:
    """How far a score is from its target, in a few words: "4.2 below"."""
    if score is None or not score.is_shown or score.gap_to_target is None:
        return EN_DASH
    size = say_size(score.gap_to_target, score.metric)
    if float(size) == 0:
        return "reached"
    return f"{size}{NO_BREAK}{'above' if score.gap_to_target > 0 else 'below'}"


def say_weighted(score: Score) -> str:
    """The weighted score with its interval; a dash where there is none."""
    if not has_weighted_score(score):
        return EN_DASH
    text = say_number(score.weighted_score, score.metric)
    if score.weighted_low_95 is None or score.weighted_high_95 is None:
        return text
    low, high = (
        say_number(end, score.metric)
        for end in (score.weighted_low_95, score.weighted_high_95)
    )
    return f"{text} ({low} to {high})"


def has_weighted_score(score: Score | None) -> bool:
    """Whether the weighted score of a relational survey stands beside the score."""
    return (
        score is not None
        and score.is_shown
        and score.survey_kind == "relational"
        and score.weighted_score is not None
    )


def say_change(score: Score | None, previous: Score | None) -> str:
    """The change on the period before, in a few words: "up 4.2"."""
    if not is_comparable(score, previous):
        return EN_DASH
    assert score is not None
    assert score.change_points is not None
    size = say_size(score.change_points, score.metric)
    if float(size) == 0:
        return "no change"
    return f"{'up' if score.change_points > 0 else 'down'}{NO_BREAK}{size}"


def is_clear_change(score: Score | None, previous: Score | None) -> bool:
    """Whether the published test calls it a change, and both scores are shown."""
    return (
        is_comparable(score, previous)
        and score is not None
        and score.is_significant_change is True
    )


def is_tested(score: Score | None, previous: Score | None) -> bool:
    """Whether there were enough answers for the published test."""
    return (
        is_comparable(score, previous)
        and score is not None
        and score.is_significant_change is not None
    )


def is_comparable(score: Score | None, previous: Score | None) -> bool:
    """Whether there is a change to show: both scores are shown."""
    return (
        score is not None
        and previous is not None
        and score.is_shown
        and previous.is_shown
        and score.change_points is not None
    )


def describe_certainty(score: Score | None, previous: Score | None) -> str:
    """Whether a change is one, in plain words."""
    if score is None or not score.is_shown:
        return ""
    before = f"in the {score.period_grain} before"
    if previous is None or previous.responses == 0:
        return f"no answers {before}"
    if not previous.is_shown:
        return f"too few answers {before}"
    p_value = score.p_value_adjusted
    if not is_tested(score, previous) or p_value is None:
        return "too few answers to judge the change"
    verdict = (
        "more than chance would explain"
        if score.is_significant_change
        else "may be chance"
    )
    p_text = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    p_text = p_text.replace(" ", NO_BREAK)
    method = (
        ", indicative only" if score.change_method == "independent_adjusted" else ""
    )
    return f"{verdict} ({p_text}{method})"


def describe_sample(score: Score | None) -> str:
    """What the number of answers is good for; empty when it is enough."""
    if score is None or score.sample_status == "no_answers":
        return "no answers"
    if score.hidden_as == "incomplete":
        return f"in confidence: shown when the {score.period_grain} is over"
    return {
        "hidden": "in confidence: could give away who answered what",
        "suppressed": "under 5 answers",
        "indicative": "under 30 answers: a hint",
    }.get(score.sample_status, "")
