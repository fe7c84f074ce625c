"""How long tests wait for what will come."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 3.0
"""So many times its deadline: a busy machine is no fault of the product. What must not take long is measured, and
asserted."""
