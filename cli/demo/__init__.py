"""A test call with phones of our own, and what must have been heard in it."""
