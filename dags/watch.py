"""
### Watch: what no run can tell

**Schedule.** Every 15 minutes. It takes a second, loads nothing and builds nothing.

**Steps.** `look` compares what is wrong now with the incidents that are open
(`audit.incidents`): exports that are missing or unreadable, loads that are held,
unusual volumes, failed builds and gates, what is not published; and what only a clock
can tell: a source that is nights behind, a night that did not come. Each incident is
told once when it opens and once when it is over, by mail and webhook where they are set
up (`.env.example`). What could not be sent is sent at the next look. What to do about
each kind stands in `docs/runbook.md`.

**When it fails.** The database cannot be reached, or a setting is wrong; the last line
of the log says which. The next look makes up for it. Nothing here can tell that Airflow
itself is down: let something outside it look at its health.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import dag, task

from dags.shared.steps import TASK_DEFAULTS, TIME_ZONE, no_second_attempt


@task
def look():
    from datetime import UTC

    from dags.shared.channels import find_channels
    from include.incidents.look import look_at_everything
    from include.settings import read_settings

    with no_second_attempt():
        look_at_everything(read_settings(), find_channels(), datetime.now(UTC))


@dag(
    schedule="*/15 * * * *",
    start_date=datetime(2015, 1, 1, tzinfo=ZoneInfo(TIME_ZONE)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=10),
    default_args=TASK_DEFAULTS,
    tags=["customer-experience", "watch"],
    doc_md=__doc__,
)
def watch():
    look()


watch()
