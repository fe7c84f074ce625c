"""One key: emergency centres, utilities, sub-centres, neighbour cities. Works without database or console."""
