"""Pictures of networks and of their training, each a function that returns a matplotlib figure."""
