"""The running product as the tests of its behaviour start it: its engines are forked (see tests/support/warm.py)."""

from functools import partial

from tests.support.ports import free_ports, reserved_ports
from tests.support.product import Product, free_settings, now, until
from tests.support.product import existing as _existing
from tests.support.product import product as _product

product = partial(_product, forks=True)
existing = partial(_existing, forks=True)

__all__ = ["Product", "existing", "free_ports", "free_settings", "now", "product", "reserved_ports", "until"]
