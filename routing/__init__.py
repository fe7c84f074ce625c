"""Numbers, merge modes and schedules: a decision with its reason."""
