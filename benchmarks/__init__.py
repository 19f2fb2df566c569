"""Side by side with other ways to read JSON while it arrives: ``make bench``."""
