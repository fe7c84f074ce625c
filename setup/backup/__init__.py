"""Backups: everything an instance cannot make again, stored by content, restored whole or not at all."""
