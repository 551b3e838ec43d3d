"""The two gates: what comes in, and what readers may see."""

from include.gate_marts import check_marts
from include.gate_raw import check_raw
from include.gate_results import Finding, GateResult

__all__ = ["Finding", "GateResult", "check_marts", "check_raw"]
