"""What pages and monitors watch, as rows."""
