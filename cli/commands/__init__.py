"""The commands of ``hotline``, one file per noun."""
