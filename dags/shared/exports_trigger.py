"""What looks for exports while a task waits: runs in Airflow's triggerer.

The deadline is read anew at each look, and nothing is kept between two triggerers: one
that is started again goes on.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.loading.arrivals import ArrivalWatch
from include.settings import read_settings

SECONDS_BETWEEN_LOOKS = 30.0


class ExportsTrigger(BaseTrigger):
    """Fires when a role's required exports are there, or the deadline has passed.

    The event is the list of sentences about what is missing then.
    """

    def __init__(
        self, role: str, batch_date: str, seconds: float = SECONDS_BETWEEN_LOOKS
    ) -> None:
        super().__init__()
        self.role = role
        self.batch_date = batch_date
        self.seconds = seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        arguments = {
            "role": self.role,
            "batch_date": self.batch_date,
            "seconds": self.seconds,
        }
        return f"{__name__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        watch = ArrivalWatch(
            read_settings(), self.role, date.fromisoformat(self.batch_date)
        )
        while True:
            # A landing zone may answer slowly; other triggers go on meanwhile.
            missing = await asyncio.to_thread(watch.look)
            if not missing or watch.is_over():
                yield TriggerEvent(missing)
                return
            await asyncio.sleep(self.seconds)
