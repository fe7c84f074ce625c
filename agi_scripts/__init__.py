"""How Asterisk enters our code: the FastAGI server, the script table, and the last-resort script."""
