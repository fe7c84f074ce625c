"""What is pushed to pages and monitors: WebSocket, server-sent events, metrics."""
