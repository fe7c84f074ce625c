"""Foresight from the shell: the commands around queues/forecasting and the past that they learn from."""
