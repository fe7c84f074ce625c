"""What can go wrong with the database, each as a sentence that says what to do next.

::

    DatabaseError
    ├── DatabaseUrlInvalid    fatal: the address cannot be used
    ├── DatabaseUnavailable   transient: locked, or the server is out of reach
    ├── DatabaseRefused       fatal: wrong password, no such database, no right to it
    └── SchemaTooNew          the database was upgraded by a newer version of this program
"""

from __future__ import annotations


class DatabaseError(Exception):
    """Root of everything this package raises. Its text is Chinese and free of passwords."""


class DatabaseUrlInvalid(DatabaseError):
    """The address cannot be used."""


class DatabaseUnavailable(DatabaseError):
    """Locked, or the server is out of reach. Try again."""


class DatabaseRefused(DatabaseError):
    """The server answered and said no."""


class SchemaTooNew(DatabaseError):
    """The schema is newer than this program."""
