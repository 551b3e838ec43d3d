"""The steps that several DAGs have in common, from gate 1 to the report.

No DAG of its own: the files beside this folder chain these tasks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from airflow.sdk import TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException

TIME_ZONE = os.environ.get("CX_REPORTING_TIME_ZONE") or "America/Sao_Paulo"
TASK_DEFAULTS = {
    "owner": "customer-experience",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
}


@contextmanager
def no_second_attempt() -> Iterator[None]:
    """Fail at once on what a person must mend: trying again would not help."""
    from include.errors import WarehouseError

    try:
        yield
    except WarehouseError as error:
        raise AirflowFailException(str(error)) from None


@task
def check_raw(run_id):
    from include.night import check_raw
    from include.settings import read_settings

    with no_second_attempt():
        check_raw(read_settings(), run_id)


@task
def build(run_id):
    from include.night import build
    from include.settings import read_settings

    with no_second_attempt():
        build(read_settings(), run_id)


@task
def check_marts(run_id):
    from include.night import check_marts
    from include.settings import read_settings

    with no_second_attempt():
        check_marts(read_settings(), run_id)


@task
def publish(run_id):
    from include.night import publish
    from include.settings import read_settings

    with no_second_attempt():
        publish(read_settings(), run_id)


@task(trigger_rule=TriggerRule.ALL_DONE)
def report(run_id):
    from dags.shared.channels import find_channels
    from include.incidents.look import look_after_run
    from include.night import report
    from include.settings import read_settings

    with no_second_attempt():
        settings = read_settings()
        try:
            report(settings, run_id)
        finally:
            look_after_run(settings, run_id, find_channels())
