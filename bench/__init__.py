"""Benchmarks: what a night costs on this machine. `make bench` runs them all."""
