"""Backups of the warehouse: saved from one snapshot, restored whole and verified."""
