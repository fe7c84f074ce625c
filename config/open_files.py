"""The open files that this process, and what it starts, may have: raised as far as it goes.

One job: RLIMIT_NOFILE. A login shell and many services have 1,024, with which a switch breaks at about 195 calls.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from typing import Final

ENOUGH: Final = 65_536
"""More than any switch of ours uses, and few enough for programs that close every number one by one."""


def most_open_files() -> int:
    """What :func:`raise_open_files` reaches here without being the administrator: the same in every process of ours."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)


def raise_open_files(needed: int) -> int:
    """As many as allowed, up to :data:`ENOUGH`, for this process and its children; what it is now.

    ``needed``: when the hard limit is lower, it is raised too if this process may (root).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, needed))
    wanted = most_open_files()
    if soft != resource.RLIM_INFINITY and soft < wanted:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
