"""The gates: may what came in be used, and may readers see what was built?"""

from include.gates.marts import check_marts
from include.gates.raw import check_raw
from include.gates.results import Finding, GateResult

__all__ = ["Finding", "GateResult", "check_marts", "check_raw"]
