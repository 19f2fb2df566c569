"""The pictures of the README, made from what really runs: ``python -m pictures``."""
