"""Loading: files of the landing zone to raw tables, one load at a time."""
