"""The words every room shares, and the only code that speaks AGI or AMI on the wire."""
