"""The engine's web side: today the control API that the ``hotline`` command speaks."""
