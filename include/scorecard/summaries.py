"""What to make of whole parts of the page: a section, a breakdown, all changes.

In: the arranged scorecard. Out: short sentences, and lists of what they are about.
"""

from collections.abc import Iterable, Iterator

from include.scorecard.content import BreakdownRow, Scorecard, Section
from include.scorecard.scores import UNKNOWN, Score
from include.scorecard.verdicts import (
    describe_certainty,
    describe_sample,
    has_weighted_score,
    is_clear_change,
    is_tested,
    say_change,
)
from include.scorecard.words import EN_DASH, say_count, say_title


def say_section(section: Section) -> str:
    """The section's name for people."""
    return say_title(section.metric, section.survey_kind, section.is_confidential)


def summarise(section: Section) -> str:
    """One sentence about the section's headline."""
    score, previous = section.headline, section.previous
    if score is None:
        return "No answers in this month."
    if score.hidden_as == "incomplete":
        return "Answers in confidence are shown when their month is over."
    if score.hidden_as:
        return (
            "Not shown (too few): the answers were given in confidence, and a score"
            " could give away who answered what."
        )
    if not score.is_shown:
        count = say_count(score.responses or 0, "answer")
        return f"Only {count}: too few to show a score."
    change = say_change(score, previous)
    certainty = describe_certainty(score, previous)
    if change == EN_DASH or previous is None:
        return f"{certainty.capitalize()}: no change to show."
    unit = "" if change == "no change" else " points"
    part = "" if previous.is_complete_period else " (known in part)"
    sentence = f"{change}{unit} on {previous.period_start:%B}{part}: {certainty}."
    return sentence[0].upper() + sentence[1:]


def list_changed(scorecard: Scorecard) -> list[tuple[Section, str, BreakdownRow]]:
    """List the rows of all breakdowns that changed clearly, surest first."""
    changed = [
        (section, breakdown, row)
        for section, breakdown, row in _list_rows(scorecard)
        if is_clear_change(row.score, row.previous)
    ]
    return sorted(changed, key=lambda entry: _read_p_value(entry[2]))


def count_tested(scorecard: Scorecard) -> int:
    """Count the rows whose change was tested."""
    return sum(
        is_tested(row.score, row.previous) for _, _, row in _list_rows(scorecard)
    )


def describe_comparisons(scorecard: Scorecard) -> str:
    """How many changes were tested, and how far the list can be trusted."""
    tested = count_tested(scorecard)
    if not tested:
        return "No row has at least 30 answers in both months yet."
    return (
        f"{say_count(tested, 'row')} with at least 30 answers in both months"
        f" {'was' if tested == 1 else 'were'} compared. The test knows who answered in"
        " both, and is adjusted for the number of rows of its table: of the changes"
        " listed, at most 1 in 20 is expected to be chance after all."
    )


def describe_partial_month(scorecard: Scorecard) -> str:
    """That the month of comparison was not delivered whole; empty when it was."""
    before = [section.previous for section in scorecard.sections if section.previous]
    if not before or all(score.is_complete_period for score in before):
        return ""
    return (
        f"{before[0].period_start:%B} is known in part: not every source has delivered"
        " all of its days. Changes are against that part."
    )


def describe_row(row: BreakdownRow) -> str:
    """What to make of one row of a breakdown."""
    return describe_sample(row.score) or describe_certainty(row.score, row.previous)


def has_something_to_show(section: Section) -> bool:
    """Whether any score of the section is shown; a confidential one may have none."""
    rows = [row for rows in section.breakdowns.values() for row in rows]
    return any(
        score is not None and score.is_shown
        for score in [
            *section.months,
            *section.weeks,
            *(row.score for row in rows),
        ]
    )


def has_weighted(scores: Iterable[Score]) -> bool:
    """Whether any of the scores has a weighted one beside it."""
    return any(has_weighted_score(score) for score in scores)


def has_targets(section: Section, breakdown: str) -> bool:
    """Whether any row of a breakdown has a target."""
    return any(
        row.score is not None and row.score.gap_to_target is not None
        for row in section.breakdowns[breakdown]
    )


def _read_p_value(row: BreakdownRow) -> float:
    return row.score.p_value_adjusted or 0.0 if row.score else 1.0


def _list_rows(
    scorecard: Scorecard,
) -> Iterator[tuple[Section, str, BreakdownRow]]:
    for section in scorecard.sections:
        for breakdown, rows in section.breakdowns.items():
            for row in rows:
                if row.value != UNKNOWN:
                    yield section, breakdown, row
