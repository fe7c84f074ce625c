"""What happened, append-only: the journal, call records, the story of a call."""
