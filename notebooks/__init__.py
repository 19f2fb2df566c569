"""The notebooks, and what runs and checks them."""
