"""A sample company's exports, with the truth about them.

In: a size, a number of nights, a seed. Out: the files that HubSpot, Qualtrics and
Zendesk would have sent, below a landing folder or bucket, and truth.json: what a
correct warehouse must say about them. README.md in this folder tells more.
"""

import json
import logging
from pathlib import Path

from include.errors import SettingsError
from include.sample_exports.export.hubspot import write_hubspot
from include.sample_exports.export.landing_writer import LandingWriter
from include.sample_exports.export.qualtrics import write_qualtrics
from include.sample_exports.export.zendesk import write_zendesk
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.earlier_orders import move_in_earlier_orders
from include.sample_exports.plan.faults import plant_faults
from include.sample_exports.plan.first_export import deliver_first_nights_together
from include.sample_exports.plan.follow_ups import follow_up
from include.sample_exports.plan.plan import Plan, build_plan
from include.sample_exports.truth.truth import count_rows_only, count_truth

__all__ = ["SampleParameters", "plan_sample", "write_sample_exports"]

logger = logging.getLogger(__name__)

TRUTH_FILE = "truth.json"
SYSTEMS = ("hubspot", "qualtrics", "zendesk")


def write_sample_exports(
    landing: str | Path,
    parameters: SampleParameters | None = None,
    truth_path: Path | None = None,
) -> dict[str, object]:
    """Write a sample into a landing, unless the same sample is there already.

    landing : folder, or address such as s3://bucket/prefix; it holds truth.json beside
        the systems' folders
    parameters : size and seed; the default sample if None
    truth_path : file that receives a copy of truth.json

    Returns the truth. Raises SettingsError when the landing holds exports that are not
    a sample: nobody's own exports are overwritten.
    """
    parameters = parameters or SampleParameters()
    writer = LandingWriter(str(landing))
    truth = _read_truth(writer)
    if truth is None or not _is_same(truth, parameters):
        _clear(writer, truth, str(landing))
        truth = _write_sample(writer, parameters)
    else:
        logger.info("The landing %s holds this sample already.", landing)
    if truth_path is not None:
        truth_path.parent.mkdir(parents=True, exist_ok=True)
        truth_path.write_bytes(_write_json(truth))
    return truth


def plan_sample(parameters: SampleParameters) -> Plan:
    """The plan of a sample with its faults, without writing anything."""
    plan = build_plan(parameters)
    plant_faults(plan)
    move_in_earlier_orders(plan)
    follow_up(plan)
    deliver_first_nights_together(plan)
    return plan


def _write_sample(
    writer: LandingWriter, parameters: SampleParameters
) -> dict[str, object]:
    # The mark of an unfinished sample: the next run clears it and starts again.
    begun = {**parameters.describe(), "is_complete": False}
    writer.write(TRUTH_FILE, [_write_json(begun)])
    plan = plan_sample(parameters)
    write_hubspot(plan, writer)
    write_qualtrics(plan, writer)
    write_zendesk(plan, writer)
    told = count_rows_only(plan) if parameters.rows_only else count_truth(plan)
    truth = {**parameters.describe(), "is_complete": True, **told}
    writer.write(TRUTH_FILE, [_write_json(truth)])
    return truth


def _read_truth(writer: LandingWriter) -> dict[str, object] | None:
    """The truth in the landing: None when there is none, empty when it is broken."""
    content = writer.read(TRUTH_FILE)
    if content is None:
        return None
    try:
        truth = json.loads(content)
    except ValueError:
        return {}
    return truth if isinstance(truth, dict) else {}


def _is_same(truth: dict[str, object], parameters: SampleParameters) -> bool:
    wanted = {**parameters.describe(), "is_complete": True}
    return all(truth.get(name) == value for name, value in wanted.items())


def _clear(
    writer: LandingWriter, truth: dict[str, object] | None, landing: str
) -> None:
    """Remove an earlier sample; refuse to touch anything else."""
    present = [name for name in writer.list_folder("") if name in SYSTEMS]
    if present and truth is None:
        raise SettingsError(
            f"The landing {landing} holds exports that are not a sample "
            f"({', '.join(present)}): write the sample into another folder."
        )
    for system in present:
        writer.remove_folder(system)


def _write_json(content: dict[str, object]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
