"""What customers do with the company: all of it together.

In: the world. Out: `Journeys`: one frame per HubSpot feed, one row per row of the
export, with `night` (the night that delivers it) and codes; and the orders and
deliveries themselves, which surveys ask about. Times are UTC seconds.
"""

from dataclasses import dataclass

import pandas as pd

from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.activities import (
    do_two_things_at_once,
    record_activities,
)
from include.sample_exports.plan.deals import pursue_deals
from include.sample_exports.plan.draws import Stream, open_stream
from include.sample_exports.plan.local_days import LocalDays
from include.sample_exports.plan.orders import (
    place_orders,
    return_goods,
    ship_orders,
    tell_deliveries,
    tell_orders,
)
from include.sample_exports.plan.world import World


@dataclass
class Journeys:
    """What happened, and the rows that tell of it.

    orders, deliveries : one row per order and delivery
    activity_rows, order_rows, delivery_rows, return_rows, deal_rows, deal_stage_rows :
        one row per row of the feed, in order of night
    """

    orders: pd.DataFrame
    deliveries: pd.DataFrame
    activity_rows: pd.DataFrame
    order_rows: pd.DataFrame
    delivery_rows: pd.DataFrame
    return_rows: pd.DataFrame
    deal_rows: pd.DataFrame
    deal_stage_rows: pd.DataFrame


def build_journeys(
    parameters: SampleParameters, days: LocalDays, world: World
) -> Journeys:
    """Let the customers live through the nights."""
    rng = open_stream(parameters.seed, Stream.ORDERS)
    orders = place_orders(rng, parameters.customers, days, world)
    deliveries = ship_orders(rng, days, orders)
    deal_rows, deal_stage_rows = pursue_deals(
        open_stream(parameters.seed, Stream.DEALS), parameters.customers, days, world
    )
    activities = record_activities(
        open_stream(parameters.seed, Stream.ACTIVITIES),
        parameters.customers,
        days,
        world,
        orders,
        deliveries,
    )
    return Journeys(
        orders=orders,
        deliveries=deliveries,
        activity_rows=do_two_things_at_once(
            open_stream(parameters.seed, Stream.PAIRS), world, activities
        ),
        order_rows=tell_orders(rng, days, orders),
        delivery_rows=tell_deliveries(days, deliveries),
        return_rows=return_goods(rng, days, orders, deliveries),
        deal_rows=deal_rows,
        deal_stage_rows=deal_stage_rows,
    )
