"""Calls that agents make (外呼): who may call whom, when, and what became of it."""
