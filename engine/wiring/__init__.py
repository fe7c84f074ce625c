"""Rooms joined with one another, one file for each feature."""
