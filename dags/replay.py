"""
### Replay: rejected rows, read again after their contract was mended

**Schedule.** None: started by hand, after the contract of a feed was mended. `feed`
(as hubspot.orders) or `load` (a number out of `audit.loads`) narrow it down; without
them every load that is in force or not judged yet is looked at. A load that a gate
holds is read again only by its number.

**Steps.** `reread` reads what is kept of the rows in `audit.rejects`; the landing zone
is not needed. What can be read now is in raw, in its load, with its file and row
number. Gate 1 judges those loads again, then all is built, checked and published as in
a night. `tell` says how many rows are read now, and why the others still are not.

**When it fails.** The last line of the failed task's log says what is wrong and what to
do. `reread` refuses at once while a build is under way: start it again afterwards. What
it has read stays read; clear the failed task together with those that follow.
"""

from datetime import timedelta

from airflow.sdk import Param, dag, task

from dags.shared.steps import (
    TASK_DEFAULTS,
    build,
    check_marts,
    check_raw,
    no_second_attempt,
    publish,
    report,
)


@task
def reread(params, run_id):
    from dataclasses import asdict

    from include.replay import reread_rejects
    from include.settings import read_settings

    with no_second_attempt():
        replays = reread_rejects(
            read_settings(), run_id, params["feed"], params["load"]
        )
    return {feed: asdict(replay) for feed, replay in replays.items()}


@task
def tell(replays):
    from include.replay import FeedReplay, describe_replays
    from include.settings import read_settings

    found = {feed: FeedReplay(**replay) for feed, replay in replays.items()}
    return describe_replays(read_settings(), found)


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    params={
        "feed": Param(None, type=["null", "string"], description="<system>.<feed>"),
        "load": Param(None, type=["null", "integer"], description="number of a load"),
    },
    default_args=TASK_DEFAULTS,
    tags=["customer-experience", "by hand"],
    doc_md=__doc__,
)
def replay():
    replays = reread()
    told = tell(replays)
    replays >> check_raw() >> build() >> check_marts() >> publish() >> told >> report()


replay()
