"""The database as every room uses it: one metadata, one way to open it, one way to bring its schema up to date."""
