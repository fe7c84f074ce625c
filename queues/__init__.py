"""Waiting callers and agents: who gets whom, and why."""
