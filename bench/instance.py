"""Where the running product was before it moved to tests/support/product.py."""

from tests.support.product import Product, now, product, until

__all__ = ["Product", "now", "product", "until"]
