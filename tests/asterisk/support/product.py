"""The product under test is the one that the measurements run: see bench.instance."""

from bench.instance import Product, free_ports, now, product, until

__all__ = ["Product", "free_ports", "now", "product", "until"]
