"""From an empty machine to a hotline: checklist, sample data, doctor, lint context."""
