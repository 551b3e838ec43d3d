"""What customers are asked and what they answer: the rows of the Qualtrics feeds.

In: the world, its orders, deliveries and tickets. Out: `Listening`.
"""

from dataclasses import dataclass

import pandas as pd

from include.sample_exports.draws import Stream, open_stream
from include.sample_exports.invitations import (
    LOYALTY_PER_CUSTOMER,
    USE_PER_CUSTOMER,
    invite_about_deliveries,
    invite_about_orders,
    invite_about_tickets,
    invite_everybody,
    invite_some,
    send,
    tell_distributions,
)
from include.sample_exports.journeys import Journeys
from include.sample_exports.local_days import LocalDays
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.responses import (
    answer_in_store,
    answer_invitations,
    answer_on_site,
    fill_in,
)
from include.sample_exports.surveys import LOYALTY, USE
from include.sample_exports.tickets import Support
from include.sample_exports.world import World


@dataclass
class Listening:
    """Invitations and answers.

    invitations : one row per invitation: survey, day, contact, channel and times
    distribution_rows, response_rows : one row per row of the feed, in order of night
    """

    invitations: pd.DataFrame
    distribution_rows: pd.DataFrame
    response_rows: pd.DataFrame


def build_listening(
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    journeys: Journeys,
    support: Support,
) -> Listening:
    """Ask the customers and let some of them answer."""
    rng = open_stream(parameters.seed, Stream.SURVEYS)
    invitations = pd.concat(
        [
            invite_everybody(rng, days, world),
            invite_about_orders(rng, days, world, journeys),
            invite_about_deliveries(rng, days, world, journeys),
            invite_about_tickets(rng, days, world, support),
            invite_some(rng, parameters, days, world, USE, USE_PER_CUSTOMER),
            invite_some(rng, parameters, days, world, LOYALTY, LOYALTY_PER_CUSTOMER),
        ],
        ignore_index=True,
    )
    invitations = send(rng, days, world, invitations)
    answers = pd.concat(
        [
            answer_invitations(invitations),
            answer_on_site(rng, parameters, days),
            answer_in_store(rng, parameters, days),
        ],
        ignore_index=True,
    )
    responses = fill_in(rng, days, world, answers)
    return Listening(
        invitations=invitations,
        distribution_rows=tell_distributions(days, invitations, responses),
        response_rows=responses,
    )
