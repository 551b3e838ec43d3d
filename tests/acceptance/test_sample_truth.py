"""The sample's truth, planned apart from the warehouse, against the published marts."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports import (
    SampleParameters,
    plan_sample,
    write_sample_exports,
)
from include.sample_exports.truth.customers import meet_people
from include.sample_exports.truth.journeys import list_visits, visit_stages
from include.sample_exports.truth.touches import find_contacts
from include.settings import Settings
from tests.conftest import open_database, settings_of
from tests.nights import fetch, run

MEASURES = {
    "nps": ("promoters", "passives", "detractors", "responses", "respondents"),
    "csat": ("top_box", "responses", "respondents"),
    "ces": ("score_sum", "score_sum_squares", "easy", "responses", "respondents"),
}
PARAMETERS = SampleParameters(customers=400, nights=70, seed=7)
# The truth is rounded to four decimals, its p to eight.
POINTS, CHANCE = 6e-5, 1e-6


def index(
    rows: Iterable[Mapping[str, Any]], keys: tuple[str, ...], measures: tuple[str, ...]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Measures by key; a key that comes twice is a mistake."""
    indexed: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        assert key not in indexed, key
        indexed[key] = tuple(row[name] for name in measures)
    return indexed


def assert_published(
    settings: Settings,
    planned: list[dict[str, Any]],
    keys: tuple[str, ...],
    measures: tuple[str, ...],
    query: str,
) -> None:
    """The query's rows, whose first columns are `keys`, say what was planned."""
    published = [
        dict(zip((*keys, *measures), row, strict=True))
        for row in fetch(settings, query)
    ]
    ours, theirs = (
        index(published, keys, measures),
        index(planned, keys, measures),
    )
    assert theirs
    differing = {
        key: (ours.get(key, "missing in marts"), theirs.get(key, "not planned"))
        for key in ours.keys() | theirs.keys()
        if ours.get(key) != theirs.get(key)
    }
    assert not differing, sorted(differing.items(), key=str)[:20]


def assert_close(
    published: Mapping[tuple[Any, ...], tuple[Any, ...]],
    planned: Mapping[tuple[Any, ...], tuple[Any, ...]],
    tolerances: tuple[float | None, ...],
) -> None:
    """Equal, or, where a tolerance is given, as near as that; null is null."""
    assert published.keys() ^ planned.keys() == set()
    for key, wanted in planned.items():
        for ours, theirs, tolerance in zip(
            published[key], wanted, tolerances, strict=True
        ):
            if tolerance is None or ours is None or theirs is None:
                assert ours == theirs, key
            else:
                assert float(ours) == pytest.approx(theirs, abs=tolerance), key


@pytest.fixture(scope="module")
def sample(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, dict[str, Any]]]:
    """A published sample of 400 customers and 70 nights, and its truth."""
    folder: Path = tmp_path_factory.mktemp("sample")
    truth = write_sample_exports(folder / "landing", PARAMETERS)
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, folder / "landing")
        assert settings.reporting_time_zone == truth["reporting_time_zone"]
        problems = run(
            settings, PARAMETERS.first_night, PARAMETERS.last_night, "sample"
        )
        assert problems == []
        yield settings, truth


@pytest.mark.parametrize("metric", sorted(MEASURES))
def test_monthly_scores_and_their_counts_are_the_truth(sample, metric):
    settings, truth = sample
    measures = MEASURES[metric]
    keys = ("survey_kind", "month", "breakdown", "value")
    rows = fetch(
        settings,
        "select survey_kind, period_label, breakdown, breakdown_value,"
        f" {', '.join(measures)}, {metric}"
        f" from marts.{metric}_scores where period_grain = 'month'",
    )
    assert len(truth[metric]) > 100
    assert_close(
        {row[:4]: row[4:] for row in rows},
        index(truth[metric], keys, (*measures, metric)),
        (*(None for _ in measures), POINTS),
    )


def test_the_share_of_easy_answers_is_the_truth(sample):
    settings, truth = sample
    rows = fetch(
        settings,
        "select survey_kind, period_label, breakdown, breakdown_value, responses, score"
        " from marts.experience_scores"
        " where period_grain = 'month' and metric = 'easy_share'",
    )
    keys = ("survey_kind", "month", "breakdown", "value")
    assert_close(
        {row[:4]: row[4:] for row in rows},
        index(truth["ces"], keys, ("responses", "easy_share")),
        (None, POINTS),
    )


def test_changes_of_scores_and_how_sure_they_are_are_the_truth(sample):
    settings, truth = sample
    keys = ("metric", "survey_kind", "month", "breakdown", "value")
    rows = fetch(
        settings,
        "select metric, survey_kind, period_label, breakdown, breakdown_value,"
        " score_change, change_method, p_value, p_value_adjusted, is_significant_change"
        " from marts.experience_scores"
        " where period_grain = 'month' and breakdown in ('total', 'journey_stage')"
        " and not is_confidential and score_change is not null",
    )
    planned = index(
        truth["changes"],
        keys,
        ("change", "method", "p_value", "p_value_adjusted", "is_significant"),
    )
    assert {method for _, method, *_ in planned.values()} >= {
        "customer_clustered",
        "independent_adjusted",
    }
    assert_close(
        {row[:5]: row[5:] for row in rows},
        planned,
        (POINTS, None, CHANCE, CHANCE, None),
    )


def test_relational_scores_are_weighted_to_those_who_could_be_asked(sample):
    settings, truth = sample
    rows = fetch(
        settings,
        "select period_label, weighted_score, effective_responses, design_effect,"
        " unplaced_responses from marts.experience_scores"
        " where metric = 'nps' and survey_kind = 'relational'"
        " and period_grain = 'month' and breakdown = 'total'",
    )
    planned = index(
        truth["weighted"],
        ("month",),
        (
            *("weighted_score", "effective_responses", "design_effect"),
            "unplaced_responses",
        ),
    )
    assert_close(
        {row[:1]: row[1:] for row in rows}, planned, (POINTS, POINTS, POINTS, None)
    )


def test_confidential_scores_are_the_truth_where_they_are_shown(sample):
    """And what is hidden cannot be worked out from what is shown beside it."""
    settings, truth = sample
    rows = fetch(
        settings,
        "select survey_kind, period_label, breakdown, breakdown_value, hidden_as,"
        " responses, top_box, score"
        " from marts.experience_scores"
        " where is_confidential and period_grain = 'month' and metric = 'csat'",
    )
    planned = index(
        truth["confidential"],
        ("survey_kind", "month", "breakdown", "value"),
        ("responses", "top_box", "csat"),
    )
    published = {row[:4]: row[4:] for row in rows}
    assert published.keys() == planned.keys()
    hidden: dict[tuple[str, ...], list[int]] = {}
    for key, (hidden_as, *shown) in published.items():
        if hidden_as is None:
            assert [int(count) for count in shown[:2]] == list(planned[key][:2]), key
            assert float(shown[2]) == pytest.approx(planned[key][2], abs=POINTS), key
            assert planned[key][0] >= 5, key
        else:
            assert shown == [None, None, None], key
            if hidden_as == "incomplete":
                assert key[1] in ("2026-09", "2026-11"), "no month that is complete"
                continue
            assert hidden_as == ("primary" if planned[key][0] < 5 else "complementary")
            hidden.setdefault(key[:3], []).append(planned[key][0])
    assert hidden
    for (kind, month, breakdown), answers in hidden.items():
        parent = published[kind, month, "total", "(all)"]
        if breakdown != "total" and parent[0] is None:
            assert len(answers) > 1, (month, breakdown)
            assert sum(answers) >= 5, (month, breakdown)


def test_confidential_answers_are_in_no_table_row_by_row(sample):
    settings, _ = sample
    for table in ("fct_survey_responses", "fct_survey_invitations"):
        ((rows, confidential),) = fetch(
            settings,
            "select count(*), count(*) filter (where is_confidential"
            f" or survey_id = 'SV_CSAT_COMPLAINT') from marts.{table}",
        )
        assert rows > 0
        assert confidential == 0


def test_answers_are_attributed_as_planned(sample):
    settings, truth = sample
    keys = (
        *("attribution_method", "survey_id", "metric", "journey_stage", "touchpoint"),
        *("experience_channel", "environment", "owner_area", "product"),
        "stage_at_invitation",
    )
    shown = ", ".join(
        key
        if key in ("attribution_method", "survey_id", "metric")
        else f"coalesce({key}, '(unknown)')"
        for key in keys
    )
    assert_published(
        settings,
        truth["attributions"],
        keys,
        ("answers", "identity_conflicts"),
        f"select {shown}, count(*), count(*) filter (where is_identity_conflict)"
        " from marts.fct_survey_responses where metric <> 'driver'"
        " group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
    )
    methods = {row["attribution_method"] for row in truth["attributions"]}
    assert len(methods) == 8


def test_visits_to_stages_are_the_truth(sample):
    settings, truth = sample
    planned = truth["journeys"]
    assert_published(
        settings,
        planned["visits"],
        ("lane", "journey_stage", "exit_reason"),
        ("visits", "events", "advancing_events"),
        "select lane, journey_stage, coalesce(exit_reason, ''), count(*),"
        " cast(sum(events) as bigint), cast(sum(advancing_events) as bigint)"
        " from marts.fct_journey_stage_visits group by 1, 2, 3",
    )
    for column in ("skipped_stages", "next_stage"):
        assert_published(
            settings,
            planned["skipped_stages" if column == "skipped_stages" else "next_stages"],
            ("journey_stage", column),
            ("visits",),
            f"select journey_stage, {column}, count(*)"
            f" from marts.fct_journey_stage_visits where {column} is not null"
            " group by 1, 2",
        )


def test_every_visit_is_the_truth_to_the_second(sample):
    """Two ways through the same events: set by set in SQL, one by one in Python."""
    settings, truth = sample
    lines = [
        line
        for (line,) in fetch(
            settings,
            "select concat_ws('|', lane, journey_stage, coalesce(journey_number, 0),"
            " cast(extract(epoch from entered_at) as bigint),"
            " coalesce(cast(extract(epoch from left_at) as bigint), -1),"
            " coalesce(cast(extract(epoch from open_until) as bigint), -1),"
            " coalesce(exit_reason, ''), events, advancing_events,"
            " coalesce(skipped_stages, ''), coalesce(next_stage, ''))"
            " from marts.fct_journey_stage_visits",
        )
    ]
    planned = ["|".join(map(str, row)) for row in plan_visits()]
    missing = Counter(planned) - Counter(lines)
    surplus = Counter(lines) - Counter(planned)
    assert (missing, surplus) == (Counter(), Counter())
    listed = "\n".join(planned)
    assert hashlib.sha256(listed.encode()).hexdigest() == truth["journeys"]["sha256"]


def plan_visits() -> list[tuple[object, ...]]:
    plan = plan_sample(PARAMETERS)
    contacts = find_contacts(plan, meet_people(plan))
    visits = visit_stages(contacts, plan.support.audit_rows, plan.days.end)
    return list_visits(visits)


def test_journeys_go_on_to_later_stages_as_planned(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["journey_funnel"],
        ("journey_stage", "month"),
        ("journeys", "mature", "converted", "direct"),
        "select journey_stage, to_char(cohort_date, 'YYYY-MM'),"
        " cast(sum(journeys_entered) as bigint),"
        " coalesce(cast(sum(journeys_entered) filter (where is_mature) as bigint), 0),"
        " coalesce(cast(sum(converted_journeys)"
        " filter (where is_mature) as bigint), 0),"
        " coalesce(cast(sum(direct_journeys) filter (where is_mature) as bigint), 0)"
        " from marts.mart_journey_funnel where journey_stage <> 'purchase'"
        " group by 1, 2",
    )
    assert sum(row["converted"] for row in truth["journey_funnel"]) > 50


def test_the_response_funnel_of_every_cohort_is_the_truth(sample):
    settings, truth = sample
    measures = (
        *("invited", "delivered", "delivery_assumed", "opened", "started"),
        *("finished", "finished_late", "fatigue_breaches"),
    )
    sums = ", ".join(f"cast(sum({measure}) as bigint)" for measure in measures)
    assert_published(
        settings,
        truth["response_funnel"],
        ("sent_date", "survey_id", "is_mature"),
        measures,
        f"select cast(sent_date as text), survey_id, is_mature, {sums}"
        " from marts.mart_response_funnel group by 1, 2, 3",
    )
    assert {row["is_mature"] for row in truth["response_funnel"]} == {True, False}


def test_what_moved_the_scores_is_the_truth(sample):
    settings, truth = sample
    keys = ("metric", "survey_kind", "month", "breakdown", "value")
    rows = fetch(
        settings,
        "select metric, survey_kind, period_label, dimension, breakdown_value,"
        " responses_before, responses_after, rate_points, mix_points,"
        " contribution_points from marts.score_movers"
        " where period_grain = 'month' and dimension = 'journey_stage'"
        " and contribution_points is not null",
    )
    planned = index(
        truth["movers"],
        keys,
        (
            *("responses_before", "responses_after", "rate_points", "mix_points"),
            "contribution_points",
        ),
    )
    assert len(planned) > 20
    assert_close(
        {row[:5]: row[5:] for row in rows},
        planned,
        (None, None, POINTS, POINTS, POINTS),
    )


def test_unhappy_customers_are_called_back_as_planned(sample):
    settings, truth = sample
    measures = {
        "cases": "cases",
        "joined": "joined_answers",
        "not_identified": "not_identified_cases",
        "do_not_contact": "do_not_contact_cases",
        "due": "due_cases",
        "in_time": "contacted_in_time_cases",
        "late": "contacted_late_cases",
        "never": "not_contacted_cases",
        "answered_again": "answered_again_cases",
        "recovered": "recovered_cases",
        "contacted_again": "contacted_answered_again_cases",
        "contacted_recovered": "contacted_recovered_cases",
        "not_contacted_again": "not_contacted_answered_again_cases",
        "not_contacted_recovered": "not_contacted_recovered_cases",
    }
    assert_published(
        settings,
        truth["closed_loop"],
        ("month",),
        tuple(measures),
        f"select period_label, {', '.join(measures.values())}"
        " from marts.mart_closed_loop"
        " where period_grain = 'month' and breakdown = 'total'",
    )
    sums: Counter[str] = Counter()
    for row in truth["closed_loop"]:
        sums.update({name: row[name] for name in measures})
    # A bad answer of nobody whom the CRM knows is rare.
    sums.pop("not_identified")
    assert min(sums.values()) > 0, sums


def test_satisfaction_by_stage_and_channel_is_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["channels"],
        ("month", "journey_stage", "experience_channel"),
        ("top_box", "responses"),
        "select period_label, journey_stage, compared_value, top_box, responses"
        " from marts.mart_channel_scores"
        " where period_grain = 'month' and comparison = 'channel'",
    )
    behind = fetch(
        settings,
        "select worst_value from marts.mart_channel_consistency"
        " where period_grain = 'quarter' and comparison = 'channel'"
        " and journey_stage = 'support' and gap_points is not null"
        " order by responses desc limit 1",
    )
    assert behind == [("web",)]


def test_consistency_is_that_of_the_answers(sample):
    """The two channels that differ most, and how many were held against each other."""
    settings, _ = sample
    by_hand = fetch(
        settings,
        "with channels as (select date_trunc('quarter', answered_date) as quarter,"
        "  journey_stage, experience_channel, count(*) as answers,"
        "  100.0 * count(*) filter (where is_top_box) / count(*) as share"
        "  from marts.fct_survey_responses where metric = 'csat' and is_counted"
        "  and survey_kind = 'transactional' and experience_channel is not null"
        "  group by 1, 2, 3 having count(*) >= 30)"
        " select cast(quarter as date), journey_stage, count(*),"
        " round(max(share) - min(share), 4) from channels"
        " group by 1, 2 having count(*) > 1 order by 1, 2",
    )
    assert by_hand
    assert (
        fetch(
            settings,
            "select period_start, journey_stage, compared_values, round(gap_points, 4)"
            " from marts.mart_channel_consistency where period_grain = 'quarter'"
            " and comparison = 'channel' and gap_points is not null"
            " order by period_start, journey_stage",
        )
        == by_hand
    )


def test_what_goes_along_with_the_recommendation_is_the_truth(sample):
    settings, truth = sample
    planned = {
        (row["month"], row["survey_id"], question): (
            row["responses"],
            row["incomplete"],
            correlation,
        )
        for row in truth["drivers"]
        for question, correlation in row["correlations"].items()
    }
    published = {
        row[:3]: (*row[3:5], row[5] if row[6] == "published" else planned[row[:3]][2])
        for row in fetch(
            settings,
            "select period_label, survey_id, question_id, responses,"
            " incomplete_responses, correlation, driver_status"
            " from marts.mart_drivers where outcome_metric = 'nps'",
        )
    }
    assert len(planned) >= 10
    assert_close(published, planned, (None, None, 2e-6))
    together: Counter[str] = Counter()
    for (*_, question), (responses, _, correlation) in planned.items():
        together[question] += responses * correlation
    assert together.most_common(1)[0][0] == "Q_UTILITY"


def test_what_was_touched_asked_about_and_answered_is_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["coverage"],
        ("month", "touchpoint"),
        ("touches", "invitations", "responses"),
        "select month_label, touchpoint, touches, invitations, responses"
        " from marts.mart_listening_coverage"
        " where touches + invitations + responses > 0",
    )


def test_purchases_deliveries_and_returns_are_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["purchases_by_month"],
        ("month", "sales_channel", "product"),
        ("purchases", "cancelled", "total_cents", "net_cents"),
        "select to_char(ordered_date, 'YYYY-MM'), sales_channel, product, count(*),"
        " count(*) filter (where is_cancelled),"
        " cast(100 * sum(total_amount) as bigint),"
        " cast(100 * sum(net_amount) as bigint)"
        " from marts.fct_purchases group by 1, 2, 3",
    )
    assert_published(
        settings,
        truth["deliveries_by_month"],
        ("month", "delivery_method"),
        ("deliveries", "delivered", "on_time", "late", "same_day"),
        "select to_char(shipped_at at time zone 'America/Sao_Paulo', 'YYYY-MM'),"
        " delivery_method, count(*), count(*) filter (where is_delivered),"
        " count(*) filter (where is_on_time), count(*) filter (where not is_on_time),"
        " count(*) filter (where is_same_day) from marts.fct_deliveries group by 1, 2",
    )
    assert_published(
        settings,
        truth["returns_by_month"],
        ("month", "return_reason"),
        ("returns", "refund_cents"),
        "select to_char(returned_date, 'YYYY-MM'), return_reason, count(*),"
        " cast(100 * sum(refund_amount) as bigint)"
        " from marts.fct_returns group by 1, 2",
    )


def test_what_happened_to_tickets_is_the_truth(sample):
    settings, truth = sample
    types = sorted({row["event_type"] for row in truth["ticket_events"]})
    assert_published(
        settings,
        truth["ticket_events"],
        ("month", "event_type"),
        ("events",),
        "select to_char(occurred_date, 'YYYY-MM'), event_type, count(*)"
        f" from marts.fct_ticket_events where event_type in ({str(types)[1:-1]})"
        " group by 1, 2",
    )


def test_how_tickets_were_served_is_the_truth(sample):
    settings, truth = sample
    counts = (
        *("created_tickets", "replied_tickets", "unreplied_tickets"),
        *("agent_judged_tickets", "agent_flagged_fcr_tickets"),
        *("customer_judged_tickets", "customer_confirmed_fcr_tickets"),
        *("mature_solved_tickets", "no_repeat_fcr_tickets"),
        *("first_reply_sla_met_tickets", "first_reply_sla_breached_tickets"),
        "first_reply_sla_running_tickets",
        *("resolution_sla_met_tickets", "resolution_sla_breached_tickets"),
        "resolution_sla_running_tickets",
    )
    planned_counts = (
        *("created", "replied", "unreplied", "agent_judged", "agent_flagged"),
        *("customer_judged", "customer_confirmed", "mature_solved", "no_repeat"),
        *("first_reply_met", "first_reply_breached", "first_reply_running"),
        *("resolution_met", "resolution_breached", "resolution_running"),
    )
    rows = fetch(
        settings,
        f"select period_label, {', '.join(counts)}, first_reply_minutes_median"
        " from marts.mart_service_levels"
        " where period_grain = 'month' and breakdown = 'total'",
    )
    assert_close(
        {row[:1]: row[1:] for row in rows},
        index(
            truth["service"],
            ("month",),
            (*planned_counts, "first_reply_minutes_median"),
        ),
        (*(None for _ in counts), POINTS),
    )
    for name in ("no_repeat", "first_reply_breached", "resolution_breached"):
        assert sum(row[name] for row in truth["service"]) > 10


def test_contacts_by_cause_are_the_truth_and_show_the_checkout(sample):
    settings, truth = sample
    planned: Counter[tuple[str, str, str]] = Counter()
    orders: Counter[str] = Counter()
    for row in truth["purchases_by_month"]:
        orders[row["month"]] += row["purchases"]
        planned[row["month"], "total", "all"] += 0
    for row in truth["contacts"]:
        for cut in ("cause_stage", "cause_touchpoint", "cause_area"):
            planned[row["month"], cut, row[cut]] += row["contacts"]
        planned[row["month"], "total", "all"] += row["contacts"]
    published = fetch(
        settings,
        "select period_label, breakdown, breakdown_value, contacts, orders,"
        " contacts_per_100_orders from marts.mart_contact_rate"
        " where period_grain = 'month'",
    )
    assert {row[:3]: row[3] for row in published} == dict(planned)
    for month, _, _, contacts, ordered, rate in published:
        assert ordered == orders[month]
        assert float(rate) == pytest.approx(100 * contacts / ordered, abs=POINTS)
    by_area = fetch(
        settings,
        "select count(*) filter (where cause_stage = 'purchase'"
        " and journey_stage = 'support') from marts.fct_tickets",
    )
    assert by_area[0][0] > 20
    assert any(value == "(unmapped)" for _, _, value in planned)


def test_reviews_are_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["reviews"],
        ("month", "site", "rating", "language"),
        ("reviews", "replied", "with_text", "with_order"),
        "select to_char(published_date, 'YYYY-MM'), site, rating, language, count(*),"
        " count(*) filter (where replied_at is not null),"
        " count(*) filter (where has_text), count(order_id)"
        " from marts.fct_reviews group by 1, 2, 3, 4",
    )


def test_what_survey_comments_are_about_is_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["themes"],
        ("period_grain", "period_start", "theme"),
        ("mentions", "comments"),
        "select period_grain, period_start::text, theme, mentions, comments"
        " from marts.mart_complaint_themes"
        " join marts.dim_complaint_themes using (theme)"
        " where breakdown = 'comment_source' and breakdown_value = 'survey'"
        " and mentions > 0 and is_theme",
    )


def test_the_theme_that_was_planted_to_grow_grows(sample):
    _, truth = sample
    # Weeks without a mention are not in the truth: by date, not by number.
    middle = PARAMETERS.last_night - timedelta(days=PARAMETERS.nights // 2)
    before, after = 0, 0
    for record in truth["themes"]:
        if (record["theme"], record["period_grain"]) == ("account_access", "week"):
            if record["period_start"] < middle.isoformat():
                before += record["mentions"]
            else:
                after += record["mentions"]
    assert after > 20
    assert after > 2 * before


def test_every_answer_that_does_not_count_says_the_planned_reason(sample):
    settings, truth = sample
    published: dict[str, dict[str, int]] = {}
    for metric, reason, answers in fetch(
        settings,
        "select metric, exclusion_reason, count(*) from marts.fct_survey_responses"
        " where not is_counted and metric <> 'driver' group by 1, 2",
    ):
        published.setdefault(metric, {})[reason] = answers
    planned = {
        metric: {reason: answers for reason, answers in reasons.items() if answers}
        for metric, reasons in truth["excluded"].items()
    }
    assert published == planned
    assert sum(sum(reasons.values()) for reasons in planned.values()) > 20


def test_touchpoints_by_month_stage_and_channel_are_the_truth(sample):
    settings, truth = sample
    published = {
        row[:2]: row[2:]
        for row in fetch(
            settings,
            "select to_char(occurred_date, 'YYYY-MM'), touchpoint,"
            " coalesce(min(journey_stage), '(unknown)'),"
            " coalesce(min(channel), '(unknown)'), count(*)"
            " from marts.fct_touchpoints group by 1, 2",
        )
    }
    planned = {
        (row["month"], row["touchpoint"]): (
            row["journey_stage"],
            row["channel"],
            row["touches"],
        )
        for row in truth["touchpoints"]
    }
    assert published == planned
    assert any(touchpoint == "(unmapped)" for _, touchpoint in planned)


def test_tickets_by_status_are_the_truth(sample):
    settings, truth = sample
    published = dict(
        fetch(
            settings,
            "select ticket_status, count(*) from marts.fct_tickets group by 1",
        )
    )
    assert published == {
        status: tickets for status, tickets in truth["tickets"].items() if tickets
    }
    assert published["deleted"] > 0


def test_merged_contacts_are_one_customer(sample):
    settings, truth = sample
    ((customers,),) = fetch(
        settings,
        "select count(distinct customer_key) from marts.dim_customers where is_in_crm",
    )
    assert customers == truth["customers_known"]
    assert truth["merged_contacts"] > 0


def test_every_row_of_every_file_is_loaded_or_rejected(sample):
    settings, truth = sample
    loaded = {
        feed: {"in_files": int(in_files), "loaded": int(loaded)}
        for feed, in_files, loaded in fetch(
            settings,
            "select feed, sum(rows_in_file), sum(rows_loaded) from audit.loads"
            " where status = 'accepted' group by 1",
        )
    }
    planned = {
        feed: {"in_files": rows["in_files"], "loaded": rows["loaded"]}
        for feed, rows in truth["rows"].items()
    }
    assert loaded == planned
    rejects = dict(
        fetch(
            settings,
            "select feed, count(*) from audit.rejects join audit.loads using (load_id)"
            " group by 1",
        )
    )
    assert rejects == truth["rejects"]


def test_data_status_counts_what_was_left_out(sample):
    settings, truth = sample
    status = {
        source: (str(as_of), rejected, unmapped, failed)
        for source, as_of, rejected, unmapped, failed in fetch(
            settings,
            "select source, as_of_date, rows_rejected, unmapped_events, failed_feeds"
            " from marts.data_status",
        )
    }
    unmapped = sum(
        row["touches"]
        for row in truth["touchpoints"]
        if row["touchpoint"] == "(unmapped)"
    )
    last_night = truth["last_night"]
    assert status == {
        "hubspot": (last_night, 1, unmapped, 0),
        "qualtrics": (last_night, 0, 0, 0),
        "zendesk": (last_night, 0, 0, 0),
    }


def test_values_by_currency_are_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["values_by_currency"],
        ("currency",),
        ("orders", "net_cents", "returned_net_cents"),
        "select currency, count(*), cast(sum(net_amount) * 100 as bigint),"
        " cast(round(sum(returned_net_amount) * 100) as bigint)"
        " from marts.fct_order_values group by currency",
    )
    # Nobody fixed a rate for the pesos, and there are some.
    assert {row["currency"] for row in truth["values_by_currency"]} >= {"BRL", "MXN"}
    assert fetch(
        settings,
        "select string_agg(distinct currency, ' ') from marts.fct_order_values"
        " where not is_converted",
    ) == [("MXN",)]


def test_churn_by_month_is_the_truth(sample):
    settings, truth = sample
    rows = fetch(
        settings,
        "select churn.period_label, churn.base_count, churn.event_count,"
        " came.base_count, churn.is_mature"
        " from marts.mart_loyalty_value as churn"
        " join marts.mart_loyalty_value as came on came.metric = 'new_customers'"
        "  and came.period_start = churn.period_start and came.breakdown = 'total'"
        " where churn.metric = 'churn' and churn.breakdown = 'total'",
    )
    planned = {row["month"]: row for row in truth["churn_by_month"]}
    # The first month begins with nobody, and nobody can be lost in it.
    assert len(rows) == len([one for one in planned.values() if one["active_at_start"]])
    for month, active, lost, active_at_end, _ in rows:
        assert active == planned[month]["active_at_start"], month
        assert active_at_end == planned[month]["active_at_end"], month
        assert lost == planned[month]["lost"], month
    assert sum(row[2] for row in rows if row[4]) > 5


def test_repeat_purchases_are_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["repeat_purchases_by_month"],
        ("month",),
        ("first_purchases", "repeated"),
        "select period_label, base_count, event_count from marts.mart_loyalty_value"
        " where metric = 'repeat_purchase' and breakdown = 'total'",
    )
    assert sum(row["repeated"] for row in truth["repeat_purchases_by_month"]) > 5


def test_what_late_deliveries_cost_is_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["outcomes_of_deliveries"],
        ("delivery",),
        ("contacts", "mature", "bought_again", "lost"),
        "select case outcomes.judgement when 'bad' then 'late' else 'on_time' end,"
        " count(*), count(*) filter (where is_mature),"
        " count(*) filter (where has_bought_again), count(*) filter (where is_lost)"
        " from marts.fct_interaction_outcomes as outcomes"
        " join marts.fct_deliveries as deliveries"
        "  on 'delivery:' || deliveries.delivery_id = outcomes.interaction_id"
        " where deliveries.is_delivered group by 1",
    )
    # Late parcels were planted to cost the next order, and it shows.
    rates = {
        row["delivery"]: (row["bought_again"] / row["mature"], row["lost"])
        for row in truth["outcomes_of_deliveries"]
    }
    assert rates["late"][0] < rates["on_time"][0] - 0.2
    assert rates["late"][1] > rates["on_time"][1] > 0


OUTCOMES_OF_FAILURES = (
    "count(*), count(*) filter (where has_bought_again), count(next_score),"
    " count(*) filter (where next_score >= 9),"
    " count(*) filter (where next_score <= 6) from marts.fct_service_failures"
)


def test_failures_and_what_became_of_them_are_the_truth(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["recoveries"],
        ("month", "failure_kind", "fix_speed"),
        ("failures", "bought_again", "answered", "promoters", "detractors"),
        "select to_char(failed_date, 'YYYY-MM'), failure_kind, fix_speed,"
        f" {OUTCOMES_OF_FAILURES} group by 1, 2, 3",
    )
    kinds = {row["failure_kind"] for row in truth["recoveries"]}
    assert kinds == {"late_delivery", "ticket", "reopened_ticket"}
    assert sum(row["answered"] for row in truth["recoveries"]) > 20


def test_recovery_counts_failures_whose_time_is_over(sample):
    settings, truth = sample
    assert_published(
        settings,
        truth["recoveries"],
        ("month", "failure_kind", "fix_speed"),
        ("failures",),
        "select to_char(failed_month, 'YYYY-MM'), failure_kind, fix_speed, failures"
        " from marts.mart_service_recovery where breakdown = 'total'",
    )
    over = fetch(
        settings,
        f"select {OUTCOMES_OF_FAILURES} where matures_on <= '{PARAMETERS.last_night}'",
    )
    assert over[0][0] > 0
    assert over == fetch(
        settings,
        "select sum(mature_failures), sum(repurchase_failures), sum(answered_failures),"
        " sum(promoters), sum(detractors) from marts.mart_service_recovery"
        " where breakdown = 'total'",
    )
