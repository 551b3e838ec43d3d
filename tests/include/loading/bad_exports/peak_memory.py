"""How much memory a night takes, measured in a process of its own."""

import resource

from include import night
from include.errors import WarehouseError
from include.settings import Settings
from tests.include.loading.load_world import NIGHT


def load_night(settings: Settings) -> str | None:
    """Load the night; return what is said of it, if anything."""
    try:
        night.extract(settings, "crm", NIGHT, NIGHT, "bad night")
    except WarehouseError as error:
        return str(error)
    return None


def load_and_measure(settings: Settings) -> tuple[str | None, float]:
    """Load the night; return what is said of it, and by how many MB memory grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sentence = load_night(settings)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return sentence, (after - before) / 1024
