"""PINs of agents: kept as hashes, locked after wrong tries."""
