"""Where Deltas come from."""
