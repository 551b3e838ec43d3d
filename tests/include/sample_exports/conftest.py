"""Small samples, written once for all tests of this folder."""

from pathlib import Path
from typing import Any

import pytest

from include.sample_exports import SampleParameters, write_sample_exports
from tests.include.sample_exports.plain_reading import Exports, read_exports

TINY = SampleParameters(customers=150, nights=8)


@pytest.fixture(scope="session")
def tiny() -> SampleParameters:
    """The parameters of the smallest useful sample."""
    return TINY


@pytest.fixture(scope="session")
def tiny_landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny sample. Read it, never write into it."""
    landing = tmp_path_factory.mktemp("tiny") / "landing"
    write_sample_exports(landing, TINY)
    return landing


@pytest.fixture(scope="session")
def tiny_truth(tiny_landing: Path) -> dict[str, Any]:
    """What the tiny sample says about itself."""
    return write_sample_exports(tiny_landing, TINY)


@pytest.fixture(scope="session")
def tiny_exports(tiny_landing: Path) -> Exports:
    """The tiny sample's files, read plainly."""
    return read_exports(tiny_landing, TINY.reporting_time_zone)
