"""What answers are about: the first rule that gives a stage.

In: responses, what happened, the customers' visits. Out: one row per response: method,
stage, touchpoint and what follows from it, stage at the invitation, whether the thing
belongs to somebody else.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import PRODUCT_LINES
from include.sample_exports.company.surveys import (
    LINK_PARAMETERS,
    SURVEYS,
    find_parameter_touchpoints,
)
from include.sample_exports.company.touchpoints import TOUCHPOINTS, UNKNOWN
from include.sample_exports.plan.local_days import DAY, BoolArray, IntArray
from include.sample_exports.plan.plan import Plan
from include.sample_exports.truth.customers import BY_ADDRESS, BY_ANSWER
from include.sample_exports.truth.journeys import Visits
from include.sample_exports.truth.touches import Contacts

LOOK_BACK = 7 * DAY
STAGES = [*(one.stage for one in TOUCHPOINTS), UNKNOWN]
# Which columns of a touchpoint an answer gets, by the name of the breakdown.
TRAITS = {
    "journey_stage": STAGES,
    "touchpoint": [*(one.name for one in TOUCHPOINTS), UNKNOWN],
    "experience_channel": [*(one.channel for one in TOUCHPOINTS), UNKNOWN],
    "environment": [*(one.environment for one in TOUCHPOINTS), UNKNOWN],
    "owner_area": [*(one.owner_area for one in TOUCHPOINTS), UNKNOWN],
}


def attribute(
    plan: Plan,
    contacts: Contacts,
    visits: Visits,
    responses: pd.DataFrame,
) -> pd.DataFrame:
    """What each response is about.

    responses : with `customer`

    Columns: attribution_method, is_identity_conflict, stage_at_invitation, product, and
    those of TRAITS.
    """
    count = len(responses)
    survey = responses["survey"].to_numpy()
    invitation = responses["invitation"].to_numpy()
    invitations = plan.listening.invitations
    invited = invitations.iloc[np.maximum(invitation, 0)]
    sent_at = np.where(invitation < 0, -1, invited["sent_at"].to_numpy())
    told = _Told(np.full(count, "", dtype=object), count)
    is_relational = np.array([one.kind == "relational" for one in SURVEYS])[survey]
    told.method[is_relational] = "relational"
    number = responses["object_id"].to_numpy()
    trigger = np.where(
        (invitation >= 0) & invited["is_triggered"].to_numpy(),
        invited["object_id"].to_numpy(),
        -1,
    )
    objects = _list_objects(contacts)
    named = (told.method == "") & (number >= 0)
    _look_up(told, objects, survey, number, named, "explicit_id")
    # An id that no export shows says nothing, and nothing else is asked.
    told.method[named & (told.method == "")] = "unattributed"
    parameter = responses["parameter"].to_numpy()
    by_link = (told.method == "") & (parameter >= 0)
    touchpoint = find_parameter_touchpoints()[np.maximum(parameter, 0)]
    is_place = by_link & (np.array(LINK_PARAMETERS)[parameter] != "")
    told.method[is_place & (touchpoint >= 0)] = "link_parameter"
    told.touchpoint[is_place & (touchpoint >= 0)] = touchpoint[
        is_place & (touchpoint >= 0)
    ]
    told.method[is_place & (touchpoint < 0)] = "unattributed"
    triggered = (told.method == "") & (trigger >= 0)
    _look_up(told, objects, survey, trigger, triggered, "invitation_trigger")
    told.set_traits()
    _look_back(
        told, contacts.touches, responses["customer"].to_numpy(), survey, sent_at
    )
    customer = responses["customer"].to_numpy()
    is_named = ~((customer >= BY_ANSWER) & (customer < BY_ADDRESS))
    products = np.array([*PRODUCT_LINES, UNKNOWN])
    return pd.DataFrame(
        {
            "attribution_method": told.method,
            "is_identity_conflict": is_named
            & (told.owner >= 0)
            & (told.owner != customer),
            "stage_at_invitation": [
                visits.find_open_stage(who, at) if asked and at >= 0 else UNKNOWN
                for who, at, asked in zip(
                    customer.tolist(), sent_at.tolist(), is_relational, strict=True
                )
            ],
            "product": products[told.product],
            **told.traits,
        },
        index=responses.index,
    )


@dataclass
class _Told:
    """What is known about each response so far."""

    method: np.ndarray
    count: int
    touchpoint: IntArray = field(init=False)
    product: IntArray = field(init=False)
    owner: IntArray = field(init=False)
    traits: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.touchpoint = np.full(self.count, -1)
        self.product = np.full(self.count, -1)
        self.owner = np.full(self.count, -1)
        self.traits = {}

    def set_traits(self) -> None:
        for name, values in TRAITS.items():
            self.traits[name] = np.array(values, dtype=object)[self.touchpoint]


def _list_objects(contacts: Contacts) -> dict[str, pd.DataFrame]:
    """Orders, deliveries and tickets by their ids."""
    columns = ["touchpoint", "product", "customer"]
    return {
        "order": contacts.orders.set_index("record_id")[columns],
        "delivery": contacts.deliveries.set_index("record_id")[columns],
        "ticket": contacts.tickets.set_index("ticket_id")[columns],
    }


def _look_up(
    told: _Told,
    objects: dict[str, pd.DataFrame],
    survey: IntArray,
    number: IntArray,
    chosen: BoolArray,
    method: str,
) -> None:
    """Attribute the chosen responses to the things of these numbers, where known."""
    for kind, known in objects.items():
        is_kind = np.array([one.object == kind for one in SURVEYS])[survey]
        rows = np.flatnonzero(chosen & is_kind)
        place = known.index.get_indexer(pd.Index(number[rows]))
        rows, place = rows[place >= 0], place[place >= 0]
        told.method[rows] = method
        told.touchpoint[rows] = known["touchpoint"].to_numpy()[place]
        told.product[rows] = known["product"].to_numpy()[place]
        told.owner[rows] = known["customer"].to_numpy()[place]


def _look_back(
    told: _Told,
    touches: pd.DataFrame,
    customer: IntArray,
    survey: IntArray,
    sent_at: IntArray,
) -> None:
    """The last advancing touch before the invitation; of the stage, where registered.

    Of several touches at that time, what they share; of several stages, nothing.
    """
    advances = np.array([one.advances_stage for one in TOUCHPOINTS])
    pending = np.flatnonzero(told.method == "")
    for name, values in told.traits.items():
        values[pending] = UNKNOWN
        told.traits[name] = values
    wanted = touches.loc[
        advances[touches["touchpoint"]] & touches["customer"].isin(customer[pending])
    ]
    pasts: dict[int, list[tuple[int, int, int]]] = {}
    for who, at, touchpoint, product in zip(
        wanted["customer"].tolist(),
        wanted["at"].tolist(),
        wanted["touchpoint"].tolist(),
        wanted["product"].tolist(),
        strict=True,
    ):
        pasts.setdefault(who, []).append((at, touchpoint, product))
    for row in pending.tolist():
        stage = SURVEYS[survey[row]].stage
        sent = int(sent_at[row])
        seen = [
            touch
            for touch in pasts.get(int(customer[row]), ())
            if sent - LOOK_BACK <= touch[0] < sent
            and stage in ("", TOUCHPOINTS[touch[1]].stage)
        ]
        last = [touch for touch in seen if touch[0] == max(one[0] for one in seen)]
        for name, values in told.traits.items():
            shared = {TRAITS[name][touch[1]] for touch in last}
            values[row] = shared.pop() if len(shared) == 1 else UNKNOWN
        products = {touch[2] for touch in last}
        told.product[row] = products.pop() if len(products) == 1 else -1
        if stage:
            told.method[row] = "registered_stage"
            told.traits["journey_stage"][row] = stage
        elif not last:
            told.method[row] = "unattributed"
        elif told.traits["journey_stage"][row] == UNKNOWN:
            told.method[row] = "ambiguous"
            told.product[row] = -1
            for values in told.traits.values():
                values[row] = UNKNOWN
        else:
            told.method[row] = "last_touch"
