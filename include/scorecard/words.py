"""The scorecard's words: figures, dates and changes as a reader says them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from include.scorecard.content import (
    UNKNOWN,
    BreakdownRow,
    Metric,
    Score,
    Scorecard,
    Section,
    SourceStatus,
)

# A change that chance alone would bring less often than this is called a change.
SIGNIFICANCE = 0.05
NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"

SECTION_TITLES = {
    ("nps", "relational"): "Relationship NPS",
    ("nps", "transactional"): "Transactional NPS",
    ("csat", "relational"): "Relationship CSAT",
    ("csat", "transactional"): "Customer satisfaction",
    ("ces", "relational"): "Relationship effort score",
    ("ces", "transactional"): "Ease (effort score)",
}
QUESTIONS = {
    "nps": (
        "“How likely are you to recommend us?” from 0 to 10. The share of promoters"
        " (9–10) minus the share of detractors (0–6), from −100 to +100."
    ),
    "csat": (
        "“How satisfied are you?” The share of answers in the top boxes (4 and 5 out of"
        " 5), from 0 to 100 %."
    ),
    "ces": (
        "“They made it easy for me.” from 1 (not at all) to 7 (fully). The mean of the"
        " answers; high is good."
    ),
}
OCCASIONS = {
    "relational": "Asked about the whole relationship.",
    "transactional": "Asked about one contact, soon after it.",
}
BREAKDOWN_TITLES = {
    "journey_stage": "Along the customer’s path",
    "experience_channel": "By channel of the contact",
    "country": "By country",
    "segment": "By segment",
}
BREAKDOWN_HEADS = {
    "journey_stage": "Stage",
    "experience_channel": "Channel",
    "country": "Country",
    "segment": "Segment",
}
COUNTRY_NAMES = {
    "AR": "Argentina",
    "BR": "Brazil",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "MX": "Mexico",
    "PT": "Portugal",
    "RO": "Romania",
    "US": "United States",
}
SOURCE_NAMES = {"hubspot": "HubSpot", "qualtrics": "Qualtrics", "zendesk": "Zendesk"}
ROLE_NAMES = {"crm": "customers", "survey": "surveys", "ticket": "tickets"}


def say_date(day: date | None) -> str:
    """20 November 2026."""
    return f"{day.day}{NO_BREAK}{day:%B}{NO_BREAK}{day.year}" if day else "never"


def say_month(day: date) -> str:
    """November 2026."""
    return f"{day:%B}{NO_BREAK}{day.year}"


def say_period(score: Score) -> str:
    """October 2026, or the week's first day."""
    if score.period_grain == "month":
        return say_month(score.period_start)
    return (
        f"{score.period_label} (from {score.period_start.day} {score.period_start:%b})"
    )


def say_short_period(score: Score) -> str:
    """Oct 2026, or the first day of the week."""
    if score.period_grain == "month":
        return f"{score.period_start:%b}{NO_BREAK}{score.period_start.year}"
    return f"{score.period_start.day}{NO_BREAK}{score.period_start:%b}"


def say_moment(moment: datetime) -> str:
    """20 November 2026, 05:12 UTC."""
    utc = moment.astimezone(UTC)
    return f"{say_date(utc.date())}, {utc:%H:%M}{NO_BREAK}UTC"


def say_title(section: Section) -> str:
    """The section's name for people."""
    return SECTION_TITLES[section.metric, section.survey_kind]


def say_source(source: SourceStatus) -> str:
    """The source and what comes from it."""
    name = SOURCE_NAMES.get(source.source, source.source)
    return f"{name} ({ROLE_NAMES.get(source.role, source.role)})"


def say_value(value: str, breakdown: str) -> str:
    """A breakdown's value as a person writes it."""
    if value == UNKNOWN:
        return "Not known"
    if breakdown == "country":
        return COUNTRY_NAMES.get(value, value)
    return value[:1].upper() + value[1:]


def say_number(value: float | None, metric: Metric) -> str:
    """A score, with the sign and the decimals of its metric."""
    if value is None:
        return EN_DASH
    if metric == "nps":
        text = f"{value:+.1f}" if round(value, 1) else "0.0"
    elif metric == "csat":
        text = f"{value:.1f}{NO_BREAK}%"
    else:
        text = f"{value:.2f}"
    return text.replace("-", MINUS)


def say_count(number: int, one: str, many: str = "") -> str:
    """A number of things: "1 answer", "1,204 answers"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def say_range(score: Score | None) -> str:
    """What a range chart shows."""
    if score is None or not score.is_shown:
        return "not shown"
    return f"{say_number(score.score, score.metric)}, {say_interval(score)}"


def say_split(score: Score) -> str:
    """Promoters, passives and detractors."""
    kinds = ("promoters", "passives", "detractors")
    return ", ".join(f"{score.counts[kind]:,.0f} {kind}" for kind in kinds)


def say_easy(score: Score) -> str:
    """The share of easy answers, with its interval."""
    share, low, high = (
        score.counts[name]
        for name in ("easy_share", "easy_share_low_95", "easy_share_high_95")
    )
    if share is None or low is None or high is None:
        return ""
    return (
        f"{share:.1f}{NO_BREAK}% found it easy (5 to 7 out of 7); with 95{NO_BREAK}%"
        f" confidence {low:.1f} to {high:.1f}{NO_BREAK}%."
    )


def say_interval(score: Score) -> str:
    """Its 95 % interval."""
    if not score.is_shown or score.low_95 is None or score.high_95 is None:
        return EN_DASH
    low, high = (say_number(end, score.metric) for end in (score.low_95, score.high_95))
    return f"{low} to {high}"


def say_change(score: Score | None, previous: Score | None) -> str:
    """The change on the month before, in a few words: "up 4.2"."""
    if not _is_comparable(score, previous):
        return EN_DASH
    assert score is not None
    assert score.change_points is not None
    decimals = 2 if score.metric == "ces" else 1
    size = f"{abs(score.change_points):.{decimals}f}"
    if float(size) == 0:
        return "no change"
    return f"{'up' if score.change_points > 0 else 'down'}{NO_BREAK}{size}"


def is_clear_change(score: Score | None, previous: Score | None) -> bool:
    """Whether chance alone would seldom bring such a change; on enough answers only."""
    return (
        _is_testable(score, previous)
        and score is not None
        and score.p_value is not None
        and score.p_value < SIGNIFICANCE
    )


def is_hint(score: Score | None, previous: Score | None) -> bool:
    """Whether a change rests on too few answers to be judged."""
    return not _is_testable(score, previous)


def describe_certainty(score: Score | None, previous: Score | None) -> str:
    """Whether a change is one, in plain words."""
    if score is None or not score.is_shown:
        return ""
    if previous is None or previous.responses == 0:
        return "no answers in the month before"
    if not previous.is_shown:
        return "too few answers in the month before"
    if not _is_testable(score, previous) or score.p_value is None:
        return "too few answers to judge the change"
    p_value = "p < 0.001" if score.p_value < 0.001 else f"p = {score.p_value:.3f}"
    if score.p_value < SIGNIFICANCE:
        return f"more than chance would explain ({p_value})"
    return f"may be chance ({p_value})"


def list_movers(scorecard: Scorecard) -> list[tuple[Section, str, BreakdownRow]]:
    """List the rows of all breakdowns that changed clearly, surest first."""
    movers = [
        (section, breakdown, row)
        for section, breakdown, row in _list_rows(scorecard)
        if is_clear_change(row.score, row.previous)
    ]
    return sorted(movers, key=lambda mover: _read_p_value(mover[2]))


def count_tested(scorecard: Scorecard) -> int:
    """Count the rows with enough answers in both months to test their change."""
    return sum(
        _is_testable(row.score, row.previous) for _, _, row in _list_rows(scorecard)
    )


def describe_comparisons(scorecard: Scorecard) -> str:
    """How many changes were tested, and how many would seem real by chance."""
    tested = count_tested(scorecard)
    if not tested:
        return "No row has at least 30 answers in both months yet."
    return (
        f"{say_count(tested, 'row')} with at least 30 answers in both months"
        f" {'was' if tested == 1 else 'were'} compared; where nothing changed at all,"
        f" about {tested * SIGNIFICANCE:.0f} of them would still be listed by chance."
    )


def summarise(section: Section) -> str:
    """One sentence about the section's headline."""
    score, previous = section.headline, section.previous
    if score is None:
        return "No answers in this month."
    if not score.is_shown:
        return f"Only {say_count(score.responses, 'answer')}: too few to show a score."
    change = say_change(score, previous)
    certainty = describe_certainty(score, previous)
    if change == EN_DASH or previous is None:
        return f"{certainty.capitalize()}: no change to show."
    unit = "" if change == "no change" else " points"
    sentence = f"{change}{unit} on {previous.period_start:%B}: {certainty}."
    return sentence[0].upper() + sentence[1:]


def describe_sample(score: Score | None) -> str:
    """What the number of answers is good for; empty when it is enough."""
    if score is None or score.responses == 0:
        return "no answers"
    return {
        "suppressed": "under 5 answers: not shown",
        "indicative": "under 30 answers: a hint",
    }.get(score.sample_status, "")


def describe_row(row: BreakdownRow) -> str:
    """What to make of one row of a breakdown."""
    return describe_sample(row.score) or describe_certainty(row.score, row.previous)


def describe_troubles(source: SourceStatus) -> list[str]:
    """What is wrong with a source now; empty when nothing is."""
    notes = []
    if source.as_of_date is None:
        notes.append("No whole day has arrived yet.")
    elif source.is_behind:
        notes.append("Behind the other sources; scores stop at its date.")
    if source.failed_feeds:
        notes.append(
            f"{say_count(source.failed_feeds, 'export')} could not be read"
            + (f": {source.last_failure}" if source.last_failure else ".")
        )
    if source.held_loads:
        notes.append(
            f"{say_count(source.held_loads, 'delivery', 'deliveries')} held back,"
            " because something looked wrong; the data before stays in force."
        )
    return notes


def describe_losses(source: SourceStatus) -> list[str]:
    """What had to be set aside so far, as one remark."""
    losses = [
        f"{say_count(rows, 'row')} could not be {deed}"
        for rows, deed in (
            (source.rows_rejected, "read"),
            (source.rows_quarantined, "understood"),
        )
        if rows
    ]
    return [f"{' and '.join(losses)}: kept aside, not counted."] if losses else []


def _read_p_value(row: BreakdownRow) -> float:
    return row.score.p_value or 0.0 if row.score else 1.0


def _list_rows(
    scorecard: Scorecard,
) -> Iterator[tuple[Section, str, BreakdownRow]]:
    for section in scorecard.sections:
        for breakdown, rows in section.breakdowns.items():
            for row in rows:
                if row.value != UNKNOWN:
                    yield section, breakdown, row


def _is_testable(score: Score | None, previous: Score | None) -> bool:
    return _is_comparable(score, previous) and all(
        side is not None and side.sample_status == "reportable"
        for side in (score, previous)
    )


def _is_comparable(score: Score | None, previous: Score | None) -> bool:
    return (
        score is not None
        and previous is not None
        and score.is_shown
        and previous.is_shown
        and score.change_points is not None
    )
