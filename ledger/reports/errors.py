"""What may be missing for a report."""


class FontMissing(LookupError):
    """No font with Chinese is there; the text says what to install."""
