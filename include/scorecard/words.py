"""The scorecard's words: titles, figures and dates as a reader says them."""

from datetime import UTC, date, datetime, timedelta

from include.scorecard.scores import UNKNOWN, Metric, Score

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
    elif metric == "ces":
        text = f"{value:.2f}"
    else:
        text = f"{value:.1f}{NO_BREAK}%"
    return text.replace("-", MINUS)


def say_count(number: int, one: str, many: str = "") -> str:
    """A number of things: "1 answer", "1,204 answers"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def say_size(points: float, metric: Metric) -> str:
    """The size of a difference, without its sign: "4.2"."""
    return f"{abs(points):.{2 if metric == 'ces' else 1}f}"


def say_points(points: float, metric: Metric) -> str:
    """A contribution to a difference, with its sign: "+4.2"; "0" when there is none."""
    size = say_size(points, metric)
    if float(size) == 0:
        return "0"
    return f"{'+' if points > 0 else MINUS}{size}"


def say_title(metric: Metric, survey_kind: str, is_confidential: bool = False) -> str:
    """The name of a score for people."""
    title = SECTION_TITLES[metric, survey_kind]
    return f"{title}, in confidence" if is_confidential else title


def say_week(start: date) -> str:
    """9 to 15 November 2026."""
    end = start + timedelta(days=6)
    month = "" if start.month == end.month else f"{NO_BREAK}{start:%B}"
    return f"{start.day}{month} to {say_date(end)}"
