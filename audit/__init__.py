"""Who changed what, when, from where and why: append-only, each entry sealed to the one before it."""
