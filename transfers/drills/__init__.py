"""Drills of the one-key transfer: the service and the reminder."""
