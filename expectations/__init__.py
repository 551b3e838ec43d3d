"""What the two gates expect of the data, as Great Expectations suites in Python."""
