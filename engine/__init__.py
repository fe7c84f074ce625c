"""Composition root: settings, wiring, life cycle, and the `hotline` command."""
