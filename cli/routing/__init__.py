"""What is behind ``hotline routing``: each command's own file, and where a routing table comes from."""
