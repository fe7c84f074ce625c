"""A call while it is up: what the engine knows of it, and what is done with it."""
