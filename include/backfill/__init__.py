"""Backfills: any range of nights, loaded again, built once and published once.

``plan`` says what would be done, with ``estimates`` of rows and time, ``run`` does it,
``changes`` says what will read otherwise before it is published.
"""
