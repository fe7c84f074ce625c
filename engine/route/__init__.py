"""What is behind ``hotline route``: each command's own file, and where a routing table comes from."""
