"""What SQL cannot compute in one pass: weighting, suppression, and reading comments.

In: the models of a build's first part. Out: ``statistics.weighted_scores``,
``statistics.hidden_scores`` and ``statistics.comment_readings``, and the dirty keys of
the periods and the comments whose rows changed.
"""

from include.statistics.computing import PARENTS, SOURCE, compute, read_code

__all__ = ["PARENTS", "SOURCE", "compute", "read_code"]
