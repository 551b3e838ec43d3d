"""Waiting for a role's exports, without holding a worker.

No DAG of its own. Once everything is there, or the deadline has passed, the task ends
well: what is missing then is said by the task that loads it.
"""

import logging

from airflow.sdk import BaseSensorOperator

from dags.shared.steps import TIME_ZONE

log = logging.getLogger(__name__)


class WaitForExports(BaseSensorOperator):
    """Looks once; if something is missing, the triggerer goes on looking.

    Parameters
    ----------
    role : whose required exports: crm, survey or ticket
    """

    def __init__(self, *, role: str, **options) -> None:
        super().__init__(**options)
        self.role = role

    def execute(self, context) -> None:
        from dags.shared.exports_trigger import ExportsTrigger
        from include.batch_dates import find_batch_date
        from include.loading.arrivals import ArrivalWatch
        from include.settings import read_settings

        run = context["dag_run"]
        day = find_batch_date(run.data_interval_start, run.run_after, TIME_ZONE)
        watch = ArrivalWatch(read_settings(), self.role, day)
        missing = watch.look()
        if not missing or watch.is_over():
            self.tell(context, missing)
            return
        for sentence in missing:
            log.info("%s", sentence)
        log.info("The triggerer looks for them until %s.", watch.deadline.isoformat())
        self.defer(
            trigger=ExportsTrigger(role=self.role, batch_date=day.isoformat()),
            method_name="tell",
        )

    def tell(self, context, event) -> None:
        """Say how the waiting ended."""
        for sentence in event:
            log.warning("%s The night goes on without it.", sentence)
        if not event:
            log.info("The required exports of %s are there.", self.role)
