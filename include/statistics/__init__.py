"""The statistics that SQL cannot compute in one pass: weighting and suppression.

In: the models of a build's first part. Out: ``statistics.weighted_scores`` and
``statistics.hidden_scores``, and the dirty keys of the periods whose rows changed.
"""

from include.statistics.computing import PARENTS, SOURCE, compute, read_code

__all__ = ["PARENTS", "SOURCE", "compute", "read_code"]
