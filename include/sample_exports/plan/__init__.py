"""Everything that happens to the sample company, drawn from a seed."""
