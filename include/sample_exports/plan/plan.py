"""The whole plan of a sample: who exists, what happens, what the exports will say.

In: parameters. Out: `Plan`: frames of codes and numbers. The writers turn them into
files, `truth` counts them; neither looks at the other.
"""

from dataclasses import dataclass, field

from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.founding import build_world
from include.sample_exports.plan.journeys import Journeys, build_journeys
from include.sample_exports.plan.listening import Listening, build_listening
from include.sample_exports.plan.local_days import LocalDays, count_local_days
from include.sample_exports.plan.tickets import Support, build_support
from include.sample_exports.plan.world import World

SMALLEST_PAGE = 10  # records on a Zendesk page
LARGEST_PAGE = 1_000


@dataclass
class Plan:
    """Everything that the exports say.

    planted : what faults put where, for the counts in truth.json
    """

    parameters: SampleParameters
    days: LocalDays
    world: World
    journeys: Journeys
    support: Support
    listening: Listening
    planted: dict[str, int] = field(default_factory=dict)

    @property
    def export_nights(self) -> range:
        """The nights that have files."""
        return range(self.parameters.first_export_nights - 1, self.days.count)

    @property
    def page_size(self) -> int:
        """Records on a full Zendesk page, the repeated one included."""
        size = self.parameters.customers // 30
        return min(max(size, SMALLEST_PAGE), LARGEST_PAGE)


def build_plan(parameters: SampleParameters) -> Plan:
    """Plan a sample without faults."""
    days = count_local_days(
        parameters.first_night, parameters.nights, parameters.reporting_time_zone
    )
    world = build_world(parameters, days)
    journeys = build_journeys(parameters, days, world)
    support = build_support(parameters, days, world)
    return Plan(
        parameters=parameters,
        days=days,
        world=world,
        journeys=journeys,
        support=support,
        listening=build_listening(parameters, days, world, journeys, support),
    )
