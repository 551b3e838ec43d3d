"""Building: accepted loads to the warehouse, and the warehouse to marts."""
