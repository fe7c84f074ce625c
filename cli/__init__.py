"""Everything behind `hotline …`: commands, their output, and the client of a running engine."""
