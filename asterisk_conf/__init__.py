"""Asterisk's configuration as a pure function of our models; finding or fetching an Asterisk to run."""
