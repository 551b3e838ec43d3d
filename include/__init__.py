"""How the warehouse works, in plain Python: read, load, check, build, publish."""
