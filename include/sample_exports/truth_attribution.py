"""What answers are about, and the last version of the things that they are about.

In: a plan and its answers. Out: stage and channel of each answer.
"""

import numpy as np
import pandas as pd

from include.sample_exports.catalogue import TICKET_CHANNEL_TOUCHPOINTS
from include.sample_exports.local_days import IntArray
from include.sample_exports.plan import Plan
from include.sample_exports.surveys import (
    LINK_PARAMETERS,
    SURVEYS,
    find_parameter_touchpoints,
)
from include.sample_exports.touchpoints import CODE_OF, TOUCHPOINTS, UNKNOWN

SALES_TOUCHPOINTS = (
    "order_web",
    "order_app",
    "order_store",
    "order_phone",
    "order_whatsapp",
)
DELIVERY_TOUCHPOINTS = ("parcel_delivered", "store_pickup")


def keep_latest(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """The row of each key that was delivered last."""
    return rows.drop_duplicates(key, keep="last").reset_index(drop=True)


def keep_latest_tickets(plan: Plan) -> pd.DataFrame:
    """The version of each ticket that was updated last, among those delivered."""
    rows = plan.support.ticket_rows.sort_values(["at", "night"], kind="stable")
    return plan.support.complete(keep_latest(rows, "ticket"))


def attribute(plan: Plan, answers: pd.DataFrame) -> pd.DataFrame:
    """Stage and channel of what each answer is about."""
    touchpoint = np.full(len(answers), -1)
    survey = answers["survey"].to_numpy()
    is_relational = np.array([one.kind == "relational" for one in SURVEYS])[survey]
    object_id = answers["object_id"].to_numpy()
    has_object = (object_id >= 0) & ~is_relational
    for kind, known in list_objects(plan).items():
        is_kind = np.array([one.object == kind for one in SURVEYS])[survey]
        chosen = has_object & is_kind
        touchpoint[chosen] = (
            known.reindex(object_id[chosen]).fillna(-1).to_numpy().astype(np.int64)
        )
    parameter = answers["parameter"].to_numpy()
    has_parameter = (
        ~is_relational
        & ~has_object
        & (parameter >= 0)
        & (np.array(LINK_PARAMETERS)[parameter] != "")
    )
    touchpoint[has_parameter] = find_parameter_touchpoints()[parameter[has_parameter]]
    stages = np.array([*(one.stage for one in TOUCHPOINTS), UNKNOWN])
    channels = np.array([*(one.channel for one in TOUCHPOINTS), UNKNOWN])
    registered = np.array([one.stage or UNKNOWN for one in SURVEYS])[survey]
    is_registered = ~is_relational & ~has_object & ~has_parameter
    return pd.DataFrame(
        {
            "journey_stage": np.where(is_registered, registered, stages[touchpoint]),
            "experience_channel": channels[touchpoint],
        },
        index=answers.index,
    )


def list_objects(plan: Plan) -> dict[str, pd.Series]:
    """The touchpoint code of every delivered order, delivery and ticket, by its id."""
    orders = keep_latest(plan.journeys.order_rows, "record_id")
    deliveries = keep_latest(plan.journeys.delivery_rows, "record_id")
    tickets = keep_latest_tickets(plan)
    return {
        "order": pd.Series(
            code_touchpoints(SALES_TOUCHPOINTS)[orders["channel"]], orders["record_id"]
        ),
        "delivery": pd.Series(
            code_touchpoints(DELIVERY_TOUCHPOINTS)[deliveries["method"]],
            deliveries["record_id"],
        ),
        "ticket": pd.Series(
            code_touchpoints(TICKET_CHANNEL_TOUCHPOINTS)[tickets["channel"]],
            tickets["ticket_id"],
        ),
    }


def code_touchpoints(names: tuple[str, ...]) -> IntArray:
    return np.array([CODE_OF[name] for name in names])
