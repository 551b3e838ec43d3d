"""What customers are asked, answer and publish: the rows of the Qualtrics feeds.

In: the world, its orders, deliveries and tickets. Out: `Listening`.
"""

from dataclasses import dataclass

import pandas as pd

from include.sample_exports.company.surveys import LOYALTY, USE
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.draws import Stream, open_stream
from include.sample_exports.plan.growing_theme import plant_growing_theme
from include.sample_exports.plan.invitations import (
    LOYALTY_PER_CUSTOMER,
    USE_PER_CUSTOMER,
    invite_about_deliveries,
    invite_about_orders,
    invite_about_tickets,
    invite_after_touches,
    invite_complainants,
    invite_everybody,
    invite_some,
    send,
    tell_distributions,
)
from include.sample_exports.plan.journeys import Journeys
from include.sample_exports.plan.local_days import LocalDays
from include.sample_exports.plan.responses import (
    answer_in_store,
    answer_invitations,
    answer_on_site,
    fill_in,
)
from include.sample_exports.plan.reviews import write_reviews
from include.sample_exports.plan.tickets import Support
from include.sample_exports.plan.world import World


@dataclass
class Listening:
    """Invitations and answers.

    invitations : one row per invitation: survey, day, contact, channel and times
    distribution_rows, response_rows, review_rows : one row per row of the feed, in
        order of night
    """

    invitations: pd.DataFrame
    distribution_rows: pd.DataFrame
    response_rows: pd.DataFrame
    review_rows: pd.DataFrame


def build_listening(
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    journeys: Journeys,
    support: Support,
) -> Listening:
    """Ask the customers and let some of them answer."""
    first = _listen(parameters, days, world, journeys, support)
    more = _listen_more(
        parameters, days, world, journeys, support, len(first[0]), len(first[1])
    )
    invitations, responses = (
        pd.concat(frames, ignore_index=True) for frames in zip(first, more, strict=True)
    )
    responses = responses.sort_values("night", kind="stable", ignore_index=True)
    responses = plant_growing_theme(
        open_stream(parameters.seed, Stream.GROWING_THEME), days, responses
    )
    return Listening(
        invitations=invitations,
        distribution_rows=tell_distributions(days, invitations, responses),
        response_rows=responses,
        review_rows=write_reviews(
            open_stream(parameters.seed, Stream.REVIEWS),
            parameters.customers,
            days,
            world,
            journeys,
        ),
    )


def _listen(
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    journeys: Journeys,
    support: Support,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The surveys about purchases, deliveries, support, use, and the relationship.

    Returns invitations and responses.
    """
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
    return invitations, fill_in(rng, days, world, answers)


def _listen_more(
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    journeys: Journeys,
    support: Support,
    first_invitation: int,
    first_response: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How easy it was, and complaints in confidence: invitations and responses.

    first_invitation, first_response : the numbers from which these are numbered
    """
    rng = open_stream(parameters.seed, Stream.MORE_SURVEYS)
    activities = journeys.activity_rows
    invitations = pd.concat(
        [
            invite_after_touches(rng, parameters, days, world, activities),
            invite_complainants(rng, world, support),
        ],
        ignore_index=True,
    )
    invitations = send(rng, days, world, invitations)
    invitations["invitation"] += first_invitation
    answers = answer_invitations(invitations)
    return invitations, fill_in(rng, days, world, answers, first_response)
