"""The processes of one instance, started and kept alive."""
