"""The engine's control API and, later, the web."""
