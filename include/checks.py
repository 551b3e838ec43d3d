"""The two gates: what comes in, and what readers may see."""

from include.gate_raw import check_raw
from include.gate_results import Finding, GateResult

__all__ = ["Finding", "GateResult", "check_raw"]
