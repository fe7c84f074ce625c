"""Being run by a service manager (systemd) instead of by ``hotline up``."""
