"""Foresight from the shell: the commands around queues/foresight and the past that they learn from."""
