"""The files of the three vendors, out of the plan."""
