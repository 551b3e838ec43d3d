"""Run suites with Great Expectations and keep their Data Docs.

In: suites, each with the query whose rows it looks at. Out: one `Outcome` per
expectation, and static pages below ``<report folder>/data_docs``.

The context is ephemeral: suites, sources and checkpoints are written in Python here and
live for one run, because a file context writes them back into its folder, which is in
git, and costs a second more. Only the results of the last runs and the pages are files,
in the report folder. The password of the database stays in memory.

Great Expectations costs three seconds to import, so it is imported where it is used.
"""

import logging
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy

from expectations.data_docs import RESULTS, SITE, finish_pages, forget_old_runs
from include.access.roles import Role
from include.errors import GateError
from include.settings import Settings, compose_database_url

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

log = logging.getLogger(__name__)

ROW_ID = "row_id"


@dataclass(frozen=True)
class SuiteRun:
    """A suite and the rows it looks at.

    `query` is one select statement without a percent sign (SQLAlchemy doubles it). Its
    column `row_id` tells a failing row from the others; it and the checked columns are
    shown in Data Docs, so none of them may hold anything personal.
    """

    suite: "ExpectationSuite"
    query: str


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation; `failing` maps row ids to the values observed."""

    suite: str
    meta: Mapping[str, Any]
    severity: str
    is_met: bool
    checked: int
    failing: Mapping[str, Any]


def run_suites(
    settings: Settings, role: Role, runs: Sequence[SuiteRun], run_id: str
) -> list[Outcome]:
    """Run the suites side by side in one checkpoint and render their pages.

    Raises GateError when an expectation could not be evaluated at all: what was not
    checked is not trusted.
    """
    _silence()
    import great_expectations as gx

    forget_old_runs(settings.report_folder)
    context = _open_context(settings.report_folder)
    # One session for all queries: without a pool each opens its own, a third of what
    # a gate takes on a small company, and a pool keeps sessions as long as the process.
    with psycopg.connect(compose_database_url(settings, role)) as session:
        results = _run_checkpoint(
            gx, context, _add_source(context, session), runs, run_id
        )
    # Once for all suites; the checkpoint's own action renders the index for each.
    context.build_data_docs(resource_identifiers=list(results))
    finish_pages(settings.report_folder)
    return [
        outcome for result in results.values() for outcome in _read_outcomes(result)
    ]


def _add_source(
    context: "EphemeralDataContext", session: psycopg.Connection
) -> "SQLDatasource":
    shared: dict[str, Any] = {
        "kwargs": {"poolclass": sqlalchemy.pool.StaticPool, "creator": lambda: session}
    }
    with warnings.catch_warnings():
        # It advises the PostgreSQL source, which wants an address with a host.
        warnings.simplefilter("ignore")
        return context.data_sources.add_sql(
            name="warehouse", connection_string="postgresql+psycopg://", **shared
        )


def _run_checkpoint(
    gx: ModuleType,
    context: "EphemeralDataContext",
    source: "SQLDatasource",
    runs: Sequence[SuiteRun],
    run_id: str,
) -> "Mapping[Any, ExpectationSuiteValidationResult]":
    definitions = []
    for run in runs:
        if "%" in run.query:
            raise ValueError(f"the query of suite {run.suite.name} has a percent sign")
        asset = source.add_query_asset(name=run.suite.name, query=run.query)
        definitions.append(
            context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=run.suite.name,
                    data=asset.add_batch_definition_whole_table("all"),
                    suite=context.suites.add(run.suite),
                )
            )
        )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=runs[0].suite.name,
            validation_definitions=definitions,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": [ROW_ID],
                "return_unexpected_index_query": False,
                "partial_unexpected_count": 20,
            },
        )
    )
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", run_id)
    return checkpoint.run(run_id=gx.RunIdentifier(run_name=name)).run_results


def _read_outcomes(result: "ExpectationSuiteValidationResult") -> list[Outcome]:
    outcomes = []
    for checked in result.results:
        configuration = checked.expectation_config
        assert configuration is not None
        if checked.exception_info.get("raised_exception", True):
            # Never the traceback: it quotes the statement with its values.
            raise GateError(
                f"Suite {result.suite_name}: the expectation about "
                f"{configuration.kwargs.get('column', 'the table')} could not be "
                "evaluated, so nothing is let through; compare the columns that its "
                "query selects with those of the database."
            )
        details = checked.result or {}
        outcomes.append(
            Outcome(
                suite=result.suite_name,
                meta=configuration.meta or {},
                severity=str(configuration.severity.value),
                is_met=bool(checked.success),
                checked=int(details.get("element_count", 0)),
                failing={
                    str(row[ROW_ID]): row[configuration.kwargs["column"]]
                    for row in details.get("unexpected_index_list") or []
                },
            )
        )
    return outcomes


def _silence() -> None:
    """Keep telemetry off and Great Expectations' own chatter out of the task's log."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ["DO_NOT_TRACK"] = "1"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


def _open_context(report_folder: Path) -> "EphemeralDataContext":
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        ProgressBarsConfig,
    )

    def keep_in(folder: str) -> dict[str, str]:
        return {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": f"{report_folder / folder}/",
        }

    in_memory = {"class_name": "InMemoryStoreBackend"}
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            config_version=4.0,
            stores={
                "suites": {
                    "class_name": "ExpectationsStore",
                    "store_backend": in_memory,
                },
                "results": {
                    "class_name": "ValidationResultsStore",
                    "store_backend": keep_in(RESULTS),
                },
                # Great Expectations looks these two up by their default names.
                "checkpoint_store": {
                    "class_name": "CheckpointStore",
                    "store_backend": in_memory,
                },
                "validation_definition_store": {
                    "class_name": "ValidationDefinitionStore",
                    "store_backend": in_memory,
                },
            },
            expectations_store_name="suites",
            validation_results_store_name="results",
            checkpoint_store_name="checkpoint_store",
            data_docs_sites={
                SITE: {
                    "class_name": "SiteBuilder",
                    "store_backend": keep_in(SITE),
                    "show_how_to_buttons": False,
                    "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                }
            },
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
