"""The statistics step, on a real warehouse with answers and frames made by hand."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from include.settings import Settings, connect
from tests.include.statistics.statistics_world import StatisticsWorld

POINTS = Decimal("0.0001")
DAY, LAST = date(2026, 10, 7), date(2026, 10, 31)
MONTH = "month:2026-10-01"
TOTAL = f"nps|transactional|{MONTH}|total|(all)"


@pytest.fixture
def world(warehouse: Settings) -> Iterator[StatisticsWorld]:
    """A month without answers, and surveys that ask each sort of people."""
    with connect(warehouse) as connection:
        connection.autocommit = True
        world = StatisticsWorld(warehouse, connection)
        world.make_tables()
        for eligible_for in ("customer", "purchase", "delivery", "ticket", "visitor"):
            world.add_survey(f"SV_{eligible_for.upper()}", eligible_for)
        world.add_period(MONTH, LAST)
        world.mark_dirty("int_score_periods.period_key", MONTH)
        yield world


def add_golden_answers(world: StatisticsWorld) -> None:
    first = 1
    for country, segment, eligible, counts in (
        ("BR", "consumer", 6000, (120, 60, 20)),
        ("BR", "business", 1000, (20, 15, 15)),
        ("ES", "consumer", 2000, (15, 20, 15)),
        ("ES", "business", 300, (1, 1, 1)),
        ("RO", "consumer", 600, (5, 10, 5)),
        ("RO", "business", 100, (0, 0, 0)),
    ):
        world.add_eligible(
            "customer", date(2026, 1, 1), country, segment, first, eligible
        )
        first += eligible
        if sum(counts):
            world.add_nps(DAY, "SV_CUSTOMER", country, segment, counts)


def test_the_worked_example(world: StatisticsWorld) -> None:
    add_golden_answers(world)
    assert world.compute() == 2
    scores = world.read_weighted()
    assert scores.keys() == {
        TOTAL,
        f"nps|transactional|{MONTH}|survey|SV_CUSTOMER",
    }
    for score, low, high, effective, effect, collapsed, unplaced in scores.values():
        assert score == 31
        assert low == pytest.approx(Decimal("22.3296"), abs=POINTS)
        assert high == pytest.approx(Decimal("39.0730"), abs=POINTS)
        assert effective == pytest.approx(Decimal("308.3457"), abs=POINTS)
        assert effect == pytest.approx(Decimal("1.0475"), abs=POINTS)
        assert collapsed == "RO: all segments; ES: all segments"
        assert unplaced == 0
    assert world.read_dirty() == {MONTH}


def test_equal_weights_give_the_unweighted_scores(world: StatisticsWorld) -> None:
    world.add_eligible("purchase", DAY, "BR", "consumer", 1, 100)
    world.add_nps(DAY, "SV_PURCHASE", "BR", "consumer", (50, 30, 20))
    common = {
        "survey_kind": "transactional",
        "survey_id": "SV_PURCHASE",
        "country": "BR",
        "segment": "consumer",
        "answered_date": DAY,
    }
    world.insert("mart_csat_daily", top_box=29, score_sum=130, responses=30, **common)
    world.insert(
        "mart_ces_daily",
        easy=5,
        score_sum=36,
        score_sum_squares=204,
        responses=7,
        **common,
    )
    world.compute()
    expected = {
        "nps": ("30.0000", "14.0511", "44.2013"),
        "csat": ("96.6667", "83.3296", "99.4091"),
        "ces": ("5.1429", "3.5033", "6.7824"),
        "easy_share": ("71.4286", "35.8934", "91.7781"),
    }
    scores = world.read_weighted()
    for metric, figures in expected.items():
        found = scores[f"{metric}|transactional|{MONTH}|total|(all)"]
        assert found[:3] == pytest.approx([Decimal(one) for one in figures], abs=POINTS)


def test_equal_answers_have_a_mean_and_no_interval(world: StatisticsWorld) -> None:
    world.add_eligible("ticket", DAY, "BR", "consumer", 1, 10)
    world.add_eligible("ticket", DAY, "ES", "consumer", 11, 20)
    for country, responses in (("BR", 7), ("ES", 6)):
        world.insert(
            "mart_ces_daily",
            survey_kind="transactional",
            survey_id="SV_TICKET",
            country=country,
            segment="consumer",
            easy=responses,
            score_sum=7 * responses,
            score_sum_squares=49 * responses,
            responses=responses,
            answered_date=DAY,
        )
    world.compute()
    score, low, high, *_ = world.read_weighted()[
        f"ces|transactional|{MONTH}|total|(all)"
    ]
    assert (score, low, high) == (7, None, None)


def test_a_total_is_weighted_to_everybody_whom_its_surveys_ask(
    world: StatisticsWorld,
) -> None:
    # Ten customers in Brazil. In Spain ten buyers; five of them buy twice, five more
    # buyers are the Brazilian customers, who count as such.
    world.add_eligible("customer", date(2026, 1, 1), "BR", "consumer", 1, 10)
    world.add_eligible("purchase", DAY, "ES", "consumer", 6, 15)
    world.add_eligible("purchase", date(2026, 10, 9), "ES", "consumer", 16, 5)
    world.add_nps(DAY, "SV_CUSTOMER", "BR", "consumer", (10, 0, 0))
    world.add_nps(DAY, "SV_PURCHASE", "ES", "consumer", (0, 0, 10))
    world.compute()
    assert world.read_weighted()[TOTAL][0] == 0
    # Three times as many in Spain would be eligible if customers counted twice.
    world.add_eligible("purchase", DAY, "ES", "consumer", 100, 20)
    world.compute()
    assert world.read_weighted()[TOTAL][0] == -50


def test_who_bought_in_two_countries_counts_where_he_did_last(
    world: StatisticsWorld,
) -> None:
    world.add_eligible("purchase", DAY, "BR", "consumer", 1, 10)
    world.add_eligible("purchase", date(2026, 10, 9), "ES", "consumer", 6, 5)
    world.add_eligible("purchase", date(2026, 11, 1), "BR", "consumer", 6, 5)
    world.add_nps(DAY, "SV_PURCHASE", "BR", "consumer", (10, 0, 0))
    world.add_nps(DAY, "SV_PURCHASE", "ES", "consumer", (0, 0, 30))
    world.compute()
    assert world.read_weighted()[TOTAL][0] == 0


def test_customers_are_those_of_the_last_day(world: StatisticsWorld) -> None:
    january = date(2026, 1, 1)
    world.add_eligible("customer", january, "BR", "consumer", 1, 10)
    world.add_eligible("customer", january, "ES", "consumer", 11, 20)
    # On the last day ten of Spain have left; next month nobody is left at all.
    world.add_eligible("customer", LAST, "ES", "consumer", 11, 10, change=-1)
    world.add_eligible(
        "customer", date(2026, 11, 1), "BR", "consumer", 1, 10, change=-1
    )
    world.add_nps(DAY, "SV_CUSTOMER", "BR", "consumer", (10, 0, 0))
    world.add_nps(DAY, "SV_CUSTOMER", "ES", "consumer", (0, 0, 30))
    world.compute()
    assert world.read_weighted()[TOTAL][0] == 0


def test_answers_of_visitors_have_no_frame(world: StatisticsWorld) -> None:
    world.add_eligible("ticket", DAY, "BR", "consumer", 1, 10)
    world.add_eligible("ticket", DAY, "(unknown)", "(unknown)", 11, 10)
    world.add_nps(DAY, "SV_TICKET", "BR", "consumer", (10, 0, 0))
    world.add_nps(DAY, "SV_VISITOR", "(unknown)", "(unknown)", (0, 0, 9))
    world.compute()
    scores = world.read_weighted()
    assert f"nps|transactional|{MONTH}|survey|SV_VISITOR" not in scores
    assert (scores[TOTAL][0], scores[TOTAL][-1]) == (100, 9)


def test_confidential_answers_have_no_weighted_score(world: StatisticsWorld) -> None:
    world.add_survey("SV_SECRET", "ticket", "confidential")
    world.add_eligible("ticket", DAY, "BR", "consumer", 1, 10)
    world.add_nps(DAY, "SV_SECRET", "BR", "consumer", (10, 0, 0))
    world.compute()
    assert world.read_weighted() == {}


def add_confidential(world: StatisticsWorld, month: int, **cells: int) -> None:
    """Add a month's confidential answers by channel to int_score_periods."""
    lasts = {"month:2026-10-01": LAST, "month:2026-11-01": date(2026, 11, 30)}
    period = f"month:2026-{month}-01"
    for key, last in ((period, lasts[period]), ("quarter:2026-10-01", LAST)):
        for breakdown, value, count in (
            *(("channel", value, count) for value, count in cells.items()),
            ("total", "(all)", sum(cells.values())),
        ):
            changed = world.connection.execute(
                "update warehouse.int_score_periods set responses = responses + %s"
                " where period_key = %s and is_confidential and breakdown = %s"
                " and breakdown_value = %s",
                [count, key, breakdown, value],
            ).rowcount
            if not changed:
                world.add_period(
                    key,
                    last,
                    metric="csat",
                    is_confidential=True,
                    breakdown=breakdown,
                    breakdown_value=value,
                    responses=count,
                )


def test_few_answers_in_confidence_are_hidden(world: StatisticsWorld) -> None:
    add_confidential(world, 10, web=40, chat=12, phone=3)
    add_confidential(world, 11, web=40, chat=15, phone=30)
    world.compute()
    hidden = world.read(
        "select score_period_key, period_key, hidden_as from statistics.hidden_scores"
        " order by 1"
    )
    prefix = "csat|transactional|confidential"
    assert hidden == [
        (f"{prefix}|{month}|channel|{value}", month, hidden_as)
        for month, value, hidden_as in (
            (MONTH, "chat", "complementary"),
            (MONTH, "phone", "primary"),
            ("month:2026-11-01", "chat", "complementary"),
            ("month:2026-11-01", "phone", "complementary"),
        )
    ]


def test_a_change_in_one_month_may_show_scores_of_another(
    world: StatisticsWorld,
) -> None:
    add_confidential(world, 10, web=40, chat=12, phone=3)
    add_confidential(world, 11, web=40, chat=15, phone=30)
    world.compute()
    world.connection.execute("truncate audit.dirty_keys")
    # Two more answers came in October: nothing needs to be hidden any more.
    add_confidential(world, 10, phone=2)
    world.mark_dirty("int_score_periods.period_key", MONTH)
    assert world.compute() == 4
    assert world.read("select * from statistics.hidden_scores") == []
    assert world.read_dirty() == {MONTH, "month:2026-11-01"}


def test_only_what_differs_is_replaced_and_marked(world: StatisticsWorld) -> None:
    add_golden_answers(world)
    world.compute()
    world.connection.execute("truncate audit.dirty_keys")
    rows = "select xmin::text, * from statistics.weighted_scores order by 2"
    before = world.read(rows)
    world.mark_dirty("int_score_periods.period_key", MONTH)
    assert world.compute() == 0
    assert world.read(rows) == before
    assert world.read_dirty() == set()


def test_without_a_changed_key_nothing_is_computed(world: StatisticsWorld) -> None:
    add_golden_answers(world)
    world.connection.execute("truncate audit.dirty_keys")
    assert world.compute() == 0
    assert world.read_weighted() == {}


def test_changed_code_computes_every_period(world: StatisticsWorld) -> None:
    add_golden_answers(world)
    world.connection.execute("truncate audit.dirty_keys")
    world.enter_code(None)
    assert world.compute() == 2
    assert world.read_dirty() == {MONTH}
    assert world.read(
        "select built_fingerprint from audit.models where model = 'statistics'"
    ) == [("built",)]


def test_a_period_that_is_gone_loses_its_rows(world: StatisticsWorld) -> None:
    add_golden_answers(world)
    world.compute()
    world.connection.execute("truncate audit.dirty_keys")
    world.connection.execute("truncate warehouse.int_score_periods")
    world.connection.execute("truncate warehouse.mart_nps_daily")
    world.mark_dirty("int_score_periods.period_key", MONTH)
    assert world.compute() == 2
    assert world.read_weighted() == {}
    assert world.read_dirty() == {MONTH}


@pytest.mark.parametrize(
    ("key", "computed"),
    [
        # An event matters to the periods of its day.
        ("purchase:2026-10-05", {"week:2026-10-05", MONTH}),
        ("purchase:2026-10-12", {MONTH}),
        ("purchase:2026-08-01", set()),
        # A customer who comes or goes matters to the ends of periods from then on.
        ("customer:2026-10-12", {MONTH, "month:2026-11-01"}),
        ("customer:2026-10-31", {MONTH, "month:2026-11-01"}),
        ("customer:2026-11-01", {"month:2026-11-01"}),
    ],
)
def test_a_frame_that_changes_computes_its_periods(
    world: StatisticsWorld, key: str, computed: set[str]
) -> None:
    world.add_period("week:2026-10-05", date(2026, 10, 11))
    world.add_period("month:2026-11-01", date(2026, 11, 30))
    for day in (DAY, date(2026, 11, 2)):
        world.add_eligible("purchase", day, "BR", "consumer", 1, 10)
        world.add_nps(day, "SV_PURCHASE", "BR", "consumer", (10, 0, 0))
    world.connection.execute("truncate audit.dirty_keys")
    world.mark_dirty("int_survey_frames.frame_part", f"{key}:0")
    world.compute()
    assert world.read_dirty() == computed


@pytest.mark.parametrize(
    ("day", "computed"),
    [
        (date(2026, 10, 11), {"week:2026-10-05", MONTH}),
        (date(2026, 10, 12), {MONTH}),
        (date(2026, 11, 1), set()),
    ],
)
def test_a_day_of_a_daily_mart_computes_its_periods(
    world: StatisticsWorld, day: date, computed: set[str]
) -> None:
    world.add_period("week:2026-10-05", date(2026, 10, 11))
    world.add_eligible("purchase", DAY, "BR", "consumer", 1, 10)
    world.add_nps(DAY, "SV_PURCHASE", "BR", "consumer", (10, 0, 0))
    world.connection.execute("truncate audit.dirty_keys")
    world.mark_dirty("mart_nps_daily.answered_date", str(day))
    world.compute()
    assert world.read_dirty() == computed


def test_who_was_eligible_is_kept_as_if_counted_anew(world: StatisticsWorld) -> None:
    """Random comings and goings; answers to some surveys, at times to none."""
    chance = Random(20_261_122)
    november = date(2026, 11, 30)
    world.add_period("week:2026-10-26", date(2026, 11, 1))
    world.add_period("month:2026-11-01", november)
    surveys = ("SV_CUSTOMER", "SV_PURCHASE", "SV_DELIVERY", "SV_TICKET")
    known: set[tuple[str, date, int]] = set()
    changes = 0
    for _ in range(25):
        for _ in range(8):
            way = chance.choice(("customer", "purchase", "delivery", "ticket"))
            day = date(2026, 10, 1) + timedelta(days=chance.randrange(61))
            customer = chance.randrange(1, 90)
            if (way, day, customer) in known and way != "customer":
                world.remove_eligible(way, day, customer, 1)
                known.discard((way, day, customer))
                continue
            stays = any(one[0] == way and one[2] == customer for one in known)
            country = chance.choice(("BR", "ES"))
            if way != "customer":
                world.add_eligible(way, day, country, "consumer", customer, 1)
            elif not stays:
                world.add_eligible(way, day, "BR", "consumer", customer, 1)
            else:
                continue
            known.add((way, day, customer))
        # The answers of a night replace those of the night before.
        world.connection.execute("truncate warehouse.mart_nps_daily")
        for survey in chance.sample(surveys, chance.randrange(len(surveys))):
            for country in ("BR", "ES"):
                counts = (chance.randrange(30), 5, chance.randrange(30))
                world.add_nps(date(2026, 10, 28), survey, country, "consumer", counts)
                world.add_nps(november, survey, country, "consumer", counts)
        for day in (date(2026, 10, 28), november):
            world.mark_dirty("mart_nps_daily.answered_date", str(day))
        if chance.random() < 0.2:
            world.connection.execute(
                "delete from warehouse.int_score_periods"
                " where period_key = 'month:2026-11-01'"
            )
            world.mark_dirty("int_score_periods.period_key", "month:2026-11-01")
        elif not world.read(
            "select 1 from warehouse.int_score_periods"
            " where period_key = 'month:2026-11-01'"
        ):
            world.add_period("month:2026-11-01", november)
            world.mark_dirty("int_score_periods.period_key", "month:2026-11-01")
        changes += world.compute()
        world.connection.execute("truncate audit.dirty_keys")
        with world.connection.transaction(force_rollback=True):
            world.enter_code(None)
            assert world.compute() == 0
    assert changes > 100
