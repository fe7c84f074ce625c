"""Asterisk's events, lists and redirects, translated for the rooms of the engine."""
