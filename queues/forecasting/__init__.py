"""What would be if: calculators, staffing, and the ACD's own core run in virtual time."""
