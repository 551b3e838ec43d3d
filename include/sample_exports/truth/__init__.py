"""What a correct warehouse must say about a sample, counted from the plan."""
