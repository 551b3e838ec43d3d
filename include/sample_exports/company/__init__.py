"""What the sample company is: its names, surveys and touchpoints. Constants only."""
