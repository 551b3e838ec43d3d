"""Incidents: what is wrong, told once when it begins and once when it is over.

``kinds`` says which there are, ``findings`` looks for them, ``ledger`` opens and closes
them in ``audit.incidents``, ``messages`` hands to each channel what it owes.
"""
