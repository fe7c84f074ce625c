"""The product under test is the one that the measurements run: see bench.instance."""

from bench.instance import Product, now, product, until
from tests.support.ports import free_ports, reserved_ports

__all__ = ["Product", "free_ports", "now", "product", "reserved_ports", "until"]
