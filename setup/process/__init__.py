"""The processes of one instance: started, kept alive, watched by systemd."""
