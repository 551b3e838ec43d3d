"""What customers are worth, who is lost and who is at risk, by hand over raw exports.

The hand-written side reads what HubSpot and Qualtrics sent: no model but the answers'
customers and the seed of the rates.
"""

from include.settings import Settings
from tests.nights import fetch

TIME_ZONE = "America/Sao_Paulo"
LATEST_ORDERS = f"""
    select distinct on (record_id)
        record_id as order_id,
        associated_contact_id as contact_id,
        order_status,
        currency,
        cast(total_amount as numeric) as total,
        cast(net_amount as numeric) as net,
        cast(order_date as timestamp) at time zone 'UTC' as ordered_at,
        cast(cast(order_date as timestamp) at time zone 'UTC'
            at time zone '{TIME_ZONE}' as date) as ordered_date
    from raw_hubspot.orders
    order by record_id, _load_id desc, _file_no desc, _row_number desc
"""
SOLD = f"select * from ({LATEST_ORDERS}) as orders where order_status <> 'cancelled'"
REFUNDS = """
    select order_id, sum(cast(refund_amount as numeric)) as refund
    from (
        select distinct on (record_id) *
        from raw_hubspot.returns
        order by record_id, _load_id desc, _file_no desc, _row_number desc
    ) as latest
    group by order_id
"""
VALUES = f"""
    select
        sold.*,
        rates.rate,
        sold.net * rates.rate
            * (1 - least(coalesce(refunds.refund, 0), sold.total) / sold.total) as kept
    from ({SOLD}) as sold
    left join ({REFUNDS}) as refunds using (order_id)
    left join lateral (
        select rate
        from (
            select rate, rate_date
            from warehouse.exchange_rates
            where currency = sold.currency
                and rate_date <= sold.ordered_date
                and rate_date >= sold.ordered_date - 7
            union all
            select 1, sold.ordered_date where sold.currency = 'EUR'
        ) as found
        order by rate_date desc
        limit 1
    ) as rates on true
"""


def test_orders_are_worth_what_raw_amounts_and_rates_say(
    shared_published: Settings,
) -> None:
    ((orders, missing, wrong, unconverted),) = fetch(
        shared_published,
        "select count(*), count(*) filter (where published.order_id is null),"
        " count(*) filter (where abs(published.kept_value - by_hand.kept) > 0.00001"
        "  or (published.kept_value is null) <> (by_hand.kept is null)),"
        " count(*) filter (where not published.is_converted)"
        f" from ({VALUES}) as by_hand"
        " full join marts.fct_order_values as published using (order_id)",
    )
    assert orders > 400
    assert unconverted > 0
    assert (missing, wrong) == (0, 0)


def test_the_values_of_customers_are_those_of_their_orders(
    shared_published: Settings,
) -> None:
    by_hand = fetch(
        shared_published,
        f"select round(sum(kept), 2), count(*) filter (where kept is null)"
        f" from ({VALUES}) as by_hand",
    )
    for table in ("fct_customer_values", "mart_customer_health"):
        assert (
            fetch(
                shared_published,
                "select round(sum(historical_value), 2),"
                f" cast(sum(currency_unconverted_orders) as bigint) from marts.{table}",
            )
            == by_hand
        )


def test_churn_of_each_month_is_that_of_raw_purchases(
    shared_published: Settings,
) -> None:
    # Whose an order is, is another test's; when it was made, raw exports say.
    active_at = (
        "exists (select from purchases as bought"
        " where bought.customer_key = purchases.customer_key"
        "  and bought.ordered_at <= {0}"
        "  and bought.ordered_at > {0} - interval '180 days')"
    )
    by_hand = fetch(
        shared_published,
        f"with purchases as (select owners.customer_key, sold.ordered_at"
        f"  from ({SOLD}) as sold join marts.fct_purchases as owners using (order_id)),"
        " months as (select month, month at time zone"
        f" '{TIME_ZONE}' as starts, (month + interval '1 month') at time zone"
        f" '{TIME_ZONE}' as ends from generate_series(timestamp '2025-12-01',"
        "  timestamp '2026-11-01', interval '1 month') as series (month)),"
        " customers as (select distinct months.month, purchases.customer_key,"
        f" {active_at.format('months.starts')} as was_active,"
        f" {active_at.format('months.ends')} as is_active"
        " from months cross join purchases)"
        " select cast(month as date), count(*),"
        " count(*) filter (where not is_active)"
        " from customers where was_active group by 1 order by 1",
    )
    assert len(by_hand) > 5
    assert sum(row[2] for row in by_hand) > 5
    assert (
        fetch(
            shared_published,
            "select period_start, base_count, event_count"
            " from marts.mart_loyalty_value"
            " where metric = 'churn' and breakdown = 'total' order by 1",
        )
        == by_hand
    )


def test_rates_are_of_mature_months_alone(shared_published: Settings) -> None:
    ((rows, early, apart),) = fetch(
        shared_published,
        "select count(*), count(*) filter (where rate_percent is not null"
        "  and matures_on > (select min(as_of_date) from audit.as_of)),"
        " count(*) filter (where abs(rate_percent - 100.0 * event_count / base_count)"
        "  > 0.000001)"
        " from marts.mart_loyalty_value",
    )
    assert rows > 100
    assert (early, apart) == (0, 0)


def test_who_is_unhappy_said_so_within_ninety_days(shared_published: Settings) -> None:
    by_hand = fetch(
        shared_published,
        "with last as (select distinct on (customer_key, metric) * from"
        " marts.fct_survey_responses where is_counted and metric in ('nps', 'csat')"
        ' order by customer_key, metric, answered_at desc, answer_id collate "C" desc)'
        " select count(distinct last.customer_key) from last"
        " where answered_date > (select min(as_of_date) - 90 from audit.as_of)"
        " and case metric when 'nps' then score <= 6 else"
        "  4 * (score - scale_min) <= scale_max - scale_min end"
        " and customer_key in (select customer_key from marts.mart_customer_health)",
    )
    assert by_hand[0][0] > 10
    assert (
        fetch(
            shared_published,
            "select count(*) from marts.mart_customer_health where is_unhappy",
        )
        == by_hand
    )
    assert (
        fetch(
            shared_published,
            "select event_count from marts.mart_loyalty_value"
            " where metric = 'unhappy_customers' and breakdown = 'total'",
        )
        == by_hand
    )


def test_every_known_customer_has_a_row_of_health(shared_published: Settings) -> None:
    ((customers, missing, without_band),) = fetch(
        shared_published,
        "select count(*), count(*) filter (where health.customer_key is null),"
        " count(*) filter (where health.risk_band is null and (health.orders > 0"
        "  or health.lifecycle = 'customer'))"
        " from marts.dim_customers as customers"
        " left join marts.mart_customer_health as health using (customer_key)"
        " where customers.is_current and customers.is_in_crm",
    )
    assert customers > 250
    assert (missing, without_band) == (0, 0)
    assert {
        band
        for (band,) in fetch(
            shared_published,
            "select distinct risk_band from marts.mart_customer_health"
            " where risk_band is not null",
        )
    } == {"high", "medium", "low"}
