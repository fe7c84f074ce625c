"""Speed and load, measured side by side."""
