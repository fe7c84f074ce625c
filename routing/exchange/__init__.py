"""The routing table in files that people edit: workbooks, CSV, TOML, and what they paste."""
