"""Settings, credentials, logging and the smallest shared tools; it knows no room above it."""
