"""The metric functions of schema cx, against answers worked out apart from them.

Tolerance: 0.01 points for scores in points or percent, 0.0001 for p values and means,
the precision to which the worked answers are written down.
"""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from include.embedded.postgres import EmbeddedPostgres
from tests.conftest import open_database

POINTS = Decimal("0.01")
PROBABILITY = Decimal("0.0001")


@pytest.fixture(scope="module")
def connection(
    postgres_server: EmbeddedPostgres, built_template: str
) -> Iterator[psycopg.Connection]:
    with (
        open_database(postgres_server, template=built_template) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection


def call(connection: psycopg.Connection, function: str, *arguments: object) -> Decimal:
    places = ", ".join(["%s"] * len(arguments))
    row = connection.execute(f"select cx.{function}({places})", arguments).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("counts", "score", "low", "high"),
    [
        ((10, 0, 0), 100, 47.5036, 100),
        ((5, 3, 2), 30, -19.0506, 65.2045),
        ((50, 30, 20), 30, 14.0511, 44.2013),
        ((500, 300, 200), 30, 25.0770, 34.7435),
        ((0, 10, 0), 0, -18.4650, 18.4650),
        ((0, 0, 7), -100, -100, -32.8123),
    ],
)
def test_nps_and_its_interval(connection, counts, score, low, high):
    assert call(connection, "nps", *counts) == pytest.approx(Decimal(score), abs=POINTS)
    assert call(connection, "nps_low_95", *counts) == pytest.approx(
        Decimal(str(low)), abs=POINTS
    )
    assert call(connection, "nps_high_95", *counts) == pytest.approx(
        Decimal(str(high)), abs=POINTS
    )


@pytest.mark.parametrize("counts", [(0, 0, 1), (1, 0, 0)])
def test_one_answer_has_an_nps_but_no_interval(connection, counts):
    # The raw point would lie outside its own interval.
    assert call(connection, "nps", *counts) is not None
    assert call(connection, "nps_low_95", *counts) is None
    assert call(connection, "nps_high_95", *counts) is None


def test_no_answers_give_no_scores(connection):
    assert call(connection, "nps", 0, 0, 0) is None
    assert call(connection, "nps_low_95", 0, 0, 0) is None
    assert call(connection, "csat", 0, 0) is None
    assert call(connection, "csat_low_95", 0, 0) is None
    assert call(connection, "ces", 0, 0) is None
    assert call(connection, "ces_low_95", 0, 0, 0) is None


def test_nps_is_not_divided_as_integers(connection):
    pooled = call(connection, "nps", 9, 30, 70)
    assert pooled == pytest.approx(Decimal("-55.9633"), abs=POINTS)


def test_scores_are_pooled_by_counts_never_by_averaging_scores(connection):
    # +100 of 9 promoters with -50 of (10, 30, 60 + 0) is not +25.
    assert call(connection, "nps", 9 + 10, 30, 60) == pytest.approx(
        Decimal("-37.61"), abs=POINTS
    )


@pytest.mark.parametrize(
    ("before", "after", "p_value"),
    [
        ((45, 25, 17), (45, 28, 21), 0.5809),
        ((500, 300, 200), (450, 300, 250), 0.0051),
    ],
)
def test_change_of_an_nps(connection, before, after, p_value):
    assert call(connection, "nps_change_p_value", *before, *after) == pytest.approx(
        Decimal(str(p_value)), abs=PROBABILITY
    )


def test_an_nps_cannot_change_from_nothing(connection):
    assert call(connection, "nps_change_p_value", 0, 0, 0, 5, 3, 2) is None


@pytest.mark.parametrize(
    ("top_box", "responses", "csat", "low", "high", "status"),
    [
        (0, 0, None, None, None, "no_answers"),
        (0, 1, 0.0000, 0.0000, 79.3451, "suppressed"),
        (1, 1, 100.0000, 20.6549, 100.0000, "suppressed"),
        (4, 4, 100.0000, 51.0109, 100.0000, "suppressed"),
        (0, 5, 0.0000, 0.0000, 43.4482, "indicative"),
        (1, 5, 20.0000, 3.6224, 62.4465, "indicative"),
        (4, 5, 80.0000, 37.5535, 96.3776, "indicative"),
        (5, 5, 100.0000, 56.5518, 100.0000, "indicative"),
        (9, 10, 90.0000, 59.5850, 98.2124, "indicative"),
        (29, 29, 100.0000, 88.3030, 100.0000, "indicative"),
        (29, 30, 96.6667, 83.3296, 99.4091, "reportable"),
        (30, 30, 100.0000, 88.6487, 100.0000, "reportable"),
        (283, 332, 85.2410, 81.02, 88.65, "reportable"),
        (11157, 17988, 62.0247, 61.31, 62.73, "reportable"),
    ],
)
def test_csat_its_wilson_interval_and_status(
    connection, top_box, responses, csat, low, high, status
):
    for function, expected in (
        ("csat", csat),
        ("csat_low_95", low),
        ("csat_high_95", high),
    ):
        found = call(connection, function, top_box, responses)
        if expected is None:
            assert found is None
        else:
            assert found == pytest.approx(Decimal(str(expected)), abs=POINTS)
    assert call(connection, "sample_status", responses) == status


@pytest.mark.parametrize(
    ("before", "after", "p_value"),
    [
        ((48, 80), (56, 70), 0.0083),
        ((9, 10), (3, 10), 0.0076),
        ((10, 10), (10, 10), 1.0000),
        ((850, 1000), (820, 1000), 0.0708),
    ],
)
def test_change_of_a_share(connection, before, after, p_value):
    assert call(connection, "share_change_p_value", *before, *after) == pytest.approx(
        Decimal(str(p_value)), abs=PROBABILITY
    )


def test_ces_mean_with_its_t_interval_and_easy_share(connection):
    scores = [7, 7, 6, 5, 5, 4, 2]
    sums = (sum(scores), sum(score * score for score in scores), len(scores))
    assert sums == (36, 204, 7)
    for function, arguments, expected in (
        ("ces", (36, 7), 5.1429),
        ("ces_low_95", sums, 3.5033),
        ("ces_high_95", sums, 6.7824),
        ("student_t_975", (6,), 2.4469),
    ):
        assert call(connection, function, *arguments) == pytest.approx(
            Decimal(str(expected)), abs=PROBABILITY
        )
    for function, expected in (
        ("share_percent", 71.4286),
        ("share_low_95", 35.8934),
        ("share_high_95", 91.7781),
    ):
        assert call(connection, function, 5, 7) == pytest.approx(
            Decimal(str(expected)), abs=POINTS
        )


def test_equal_ces_scores_have_no_mean_interval_but_a_share_interval(connection):
    assert call(connection, "ces_low_95", 30, 150, 6) is None
    assert call(connection, "ces_high_95", 30, 150, 6) is None
    assert call(connection, "share_low_95", 6, 6) is not None


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    # NIST/SEMATECH e-Handbook, table of critical values of Student's t.
    [(1, 12.706), (10, 2.228), (30, 2.042), (31, 2.040), (60, 2.000), (100, 1.984)],
)
def test_student_t_quantiles(connection, degrees, quantile):
    assert call(connection, "student_t_975", degrees) == pytest.approx(
        Decimal(str(quantile)), abs=Decimal("0.0006")
    )


def test_change_of_a_ces_mean(connection):
    # Welch by hand: means 5 and 6, variances 1 and 1, n 50 and 50: z = 1 / sqrt(0.04).
    before = (250, 250 * 5 + 49, 50)
    after = (300, 300 * 6 + 49, 50)
    assert call(connection, "ces_change_p_value", *before, *after) == pytest.approx(
        Decimal("0.0000005733"), abs=Decimal("0.0000001")
    )
    assert call(connection, "ces_change_p_value", 5, 25, 1, *after) is None
    assert call(connection, "ces_change_p_value", 0, 0, 0, *after) is None


def test_a_ces_interval_ends_where_the_scale_ends(connection):
    assert call(connection, "ces_low_95", 8, 50, 2) == 1
    assert call(connection, "ces_high_95", 8, 50, 2) == 7


@pytest.mark.parametrize(
    ("before", "after", "raw_change", "adjusted_change"),
    [
        ((45, 25, 17), (45, 28, 21), -6.65, -6.37),
        ((500, 300, 200), (450, 300, 250), -10.00, -9.97),
    ],
)
def test_the_raw_change_is_published_and_the_adjusted_one_is_tested(
    connection, before, after, raw_change, adjusted_change
):
    for function, expected in (("nps", raw_change), ("nps_adjusted", adjusted_change)):
        change = call(connection, function, *after) - call(
            connection, function, *before
        )
        assert change == pytest.approx(Decimal(str(expected)), abs=POINTS)


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        ((48, 80), (56, 70), 5.24, 33.39),
        ((9, 10), (3, 10), -80.90, -17.05),
        ((10, 10), (10, 10), -27.75, 27.75),
        ((850, 1000), (820, 1000), -6.25, 0.26),
    ],
)
def test_interval_of_the_change_of_a_share(connection, before, after, low, high):
    for function, expected in (
        ("share_change_low_95", low),
        ("share_change_high_95", high),
    ):
        assert call(connection, function, *before, *after) == pytest.approx(
            Decimal(str(expected)), abs=POINTS
        )
        assert call(connection, function, 0, 0, *after) is None
        assert call(connection, function, *before, 0, 0) is None


# Who answered in a period, and what: the test values of each customer.
Period = dict[str, list[int]]

# Wave 1 in rows, wave 2 in columns: detractor, passive, promoter.
FIFTY_PAIRS = {
    -1: {-1: 9, 0: 5, 1: 1},
    0: {-1: 0, 0: 9, 1: 7},
    1: {-1: 0, 0: 1, 1: 18},
}
PARTIAL_BEFORE: Period = {
    "a": [1],
    "b": [0],
    "c": [-1],
    "d": [1, 1],
    "e": [-1],
    "f": [0],
}
PARTIAL_AFTER: Period = {
    "a": [1],
    "b": [1],
    "c": [0],
    "d": [1],
    "g": [1],
    "h": [-1],
    "i": [0, 1],
}


def list_pairs() -> tuple[Period, Period]:
    """The fifty people who answered both times."""
    before: Period = {}
    after: Period = {}
    for first, row in FIFTY_PAIRS.items():
        for second, people in row.items():
            for _ in range(people):
                before[f"customer {len(before)}"] = [first]
                after[f"customer {len(after)}"] = [second]
    assert len(before) == 50
    return before, after


def count_nps(period: Period) -> tuple[int, int, int]:
    """Promoters, passives and detractors."""
    values = [value for answers in period.values() for value in answers]
    return values.count(1), values.count(0), values.count(-1)


def list_people(counts: tuple[int, int, int], name: str) -> Period:
    """As many people with one answer each."""
    values = [1] * counts[0] + [0] * counts[1] + [-1] * counts[2]
    return {f"{name} {number}": [value] for number, value in enumerate(values)}


def sum_moments(before: Period, after: Period) -> list[int]:
    """The arguments of the test, in their order, out of every customer's answers."""
    moments = []
    for period in (before, after):
        moments += [
            sum(sum(answers) for answers in period.values()),
            sum(len(answers) for answers in period.values()),
            len(period),
            sum(sum(answers) ** 2 for answers in period.values()),
            sum(sum(answers) * len(answers) for answers in period.values()),
            sum(len(answers) ** 2 for answers in period.values()),
        ]
    both = [(before[name], after[name]) for name in before if name in after]
    return [
        *moments,
        len(both),
        sum(sum(first) * sum(second) for first, second in both),
        sum(sum(first) * len(second) for first, second in both),
        sum(len(first) * sum(second) for first, second in both),
        sum(len(first) * len(second) for first, second in both),
    ]


@pytest.mark.parametrize(
    ("before", "after", "change", "standard_error", "p_value", "independent_p_value"),
    [
        (*list_pairs(), 26.0000, 7.4560, 0.0005, 0.1102),
        (PARTIAL_BEFORE, PARTIAL_AFTER, 35.7143, 36.7462, 0.3311, 0.4348),
    ],
    ids=["the same fifty people", "partly the same people"],
)
def test_change_of_an_nps_that_knows_its_customers(
    connection, before, after, change, standard_error, p_value, independent_p_value
):
    moments = sum_moments(before, after)
    found = call(connection, "nps", *count_nps(after)) - call(
        connection, "nps", *count_nps(before)
    )
    assert found == pytest.approx(Decimal(str(change)), abs=POINTS)
    variance = call(connection, "clustered_change_variance", *moments)
    assert 100 * variance.sqrt() == pytest.approx(
        Decimal(str(standard_error)), abs=POINTS
    )
    assert call(connection, "clustered_change_p_value", *moments) == pytest.approx(
        Decimal(str(p_value)), abs=PROBABILITY
    )
    # Wrong for the fifty pairs, and published for the few customers.
    assert call(
        connection, "nps_change_p_value", *count_nps(before), *count_nps(after)
    ) == pytest.approx(Decimal(str(independent_p_value)), abs=PROBABILITY)


def test_two_answers_beside_forty_mislead_the_test_that_knows_its_customers(connection):
    before, after = list_people((2, 0, 0), "before"), list_people((20, 10, 10), "after")
    assert call(
        connection, "clustered_change_p_value", *sum_moments(before, after)
    ) == pytest.approx(Decimal("1.6e-8"), abs=Decimal("1e-9"))
    assert call(connection, "nps_change_p_value", 2, 0, 0, 20, 10, 10) == pytest.approx(
        Decimal("0.63"), abs=Decimal("0.005")
    )


def test_the_same_answers_of_the_same_customers_have_no_variance_and_no_p(connection):
    # Means of a third: rounded on the way, the variance would not be 0.
    period = {"a": [1], "b": [0], "c": [0], "d": [1, 0, 0]}
    moments = sum_moments(period, period)
    assert call(connection, "clustered_change_variance", *moments) == 0
    assert call(connection, "clustered_change_p_value", *moments) is None


def test_nothing_to_compare_has_no_variance(connection):
    for before, after in (({}, PARTIAL_AFTER), (PARTIAL_BEFORE, {})):
        moments = sum_moments(before, after)
        assert call(connection, "clustered_change_variance", *moments) is None
        assert call(connection, "clustered_change_p_value", *moments) is None
    one = sum_moments({"a": [1]}, {"a": [0]})
    assert call(connection, "clustered_change_variance", *one) is None


# Tables of the normal and the chi-squared distribution (R 4: qnorm, pchisq).
@pytest.mark.parametrize(
    ("probability", "quantile"),
    [
        (0.5, 0),
        (0.975, "1.9599639845"),
        (0.025, "-1.9599639845"),
        (0.9, "1.2815515655"),
        (0.995833333333333, "2.6382572735"),
        (0.9999, "3.7190164855"),
        (1e-12, "-7.0344838253"),
    ],
)
def test_a_normal_quantile_is_that_of_the_tables(connection, probability, quantile):
    found = call(connection, "normal_quantile", Decimal(str(probability)))
    assert found == pytest.approx(Decimal(quantile), abs=Decimal("1e-8"))


@pytest.mark.parametrize("probability", [0, 1])
def test_no_quantile_lies_at_the_ends(connection, probability):
    assert call(connection, "normal_quantile", Decimal(probability)) is None


@pytest.mark.parametrize(
    ("chi_squared", "degrees", "p_value"),
    [
        ("3.841458820694", 1, "0.05"),
        ("5.991464547108", 2, "0.05"),
        ("31.9098", 3, "5.468e-07"),
        ("1.25", 3, "0.7410388888"),
        ("9.487729036781", 4, "0.05"),
        ("24.995790139728", 15, "0.05"),
        ("26.296227604864", 16, "0.05"),
        ("0", 3, "1"),
        # Among many customers: exp(-chi_squared / 2) is too small a number.
        ("1491", 3, "0"),
        ("1491", 4, "0"),
        ("60000", 1, "0"),
        ("60000", 12, "0"),
    ],
)
def test_a_chi_squared_has_the_tail_of_the_tables(
    connection, chi_squared, degrees, p_value
):
    found = call(connection, "chi_squared_p_value", Decimal(chi_squared), degrees)
    assert found == pytest.approx(Decimal(p_value), abs=Decimal("1e-9"))


@pytest.mark.parametrize(
    ("above", "below", "z", "low", "high"),
    [
        ((180, 200), (140, 200), "2.6382572735", 9.5446, 30.0758),
        ((42, 50), (38, 50), "2.6382572735", -13.3726, 28.6610),
        # The published check of Newcombe's method.
        ((56, 70), (48, 80), "1.959964", 5.24, 33.39),
    ],
)
def test_a_gap_of_shares_has_newcombes_interval(connection, above, below, z, low, high):
    counts = (*above, *below, Decimal(z))
    assert call(connection, "share_gap_low", *counts) == pytest.approx(
        Decimal(str(low)), abs=POINTS
    )
    assert call(connection, "share_gap_high", *counts) == pytest.approx(
        Decimal(str(high)), abs=POINTS
    )
