"""A reference client: how a department fetches its feed, and proves that it has everything.

Run: python docs/feed_client.py https://12345.example TOKEN FILE. It appends each record to FILE as one line of JSON and
goes on after the last one there. Terms and fields: docs/feed-data.md.
"""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

GENESIS: Final = "0" * 64
"""What stands before the first record."""


class ChainBroken(Exception):
    """A record is missing, was changed, or belongs to another chain."""


class Chain:
    """Checks record after record, pushed or fetched; the same record twice is fine and new once."""

    def __init__(self) -> None:
        self.seq = 0
        self.head = GENESIS
        self.bodies: list[dict[str, Any]] = []
        """What the records say, in their order."""

    def take(self, record: Mapping[str, Any]) -> bool:
        """Whether the record is new. Raises ChainBroken."""
        text = f"{record['previous']}\n{record['seq']}\n{record['key']}\n{record['body']}"
        if hashlib.sha256(text.encode()).hexdigest() != record["hash"]:
            raise ChainBroken(f"record {record['seq']} was changed")
        if record["seq"] <= self.seq:
            return False
        if record["seq"] != self.seq + 1 or record["previous"] != self.head:
            raise ChainBroken(f"record {record['seq']} does not follow record {self.seq}")
        self.seq, self.head = record["seq"], record["hash"]
        self.bodies.append(json.loads(record["body"]))
        return True

    @property
    def cursor(self) -> str:
        """What to ask with."""
        return f"{self.seq}.{self.head[:16]}" if self.seq else "0"


def fetch(site: str, token: str, after: str) -> Any:
    """One page."""
    request = urllib.request.Request(f"{site}/api/feed?after={after}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 the address is ours to give
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 likewise
        return json.load(answer)


def main(site: str, token: str, path: Path) -> None:
    """Fetch all that is new."""
    chain = Chain()
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            chain.take(json.loads(line))
    while True:
        page = fetch(site, token, chain.cursor)
        with path.open("a", encoding="utf-8") as file:
            for record in page["records"]:
                if chain.take(record):
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
        if not page["more"]:
            break
    if page["head"] != {"seq": chain.seq, "hash": chain.head}:
        raise ChainBroken("the end of the chain is another one")
    sys.stdout.write(f"{chain.seq} records, all of them, the last one {chain.head}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
