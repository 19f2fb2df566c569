"""Where the values of a stream go."""
