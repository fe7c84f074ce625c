"""This instance as backups see it: where its data lies, and which files of it lie elsewhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

from config.settings import ROOT, Settings, config_file
from setup.backup.service import Instance


def instance_of(settings: Settings) -> Instance:
    """The settings file and the certificates go along; on another machine they are put aside to be looked at."""
    outside = {"hotline.toml": config_file()}
    for name, place in (("web.crt", settings.web_cert), ("web.key", settings.web_key)):
        if place:
            outside[name] = Path(place)
    return Instance(settings.data_dir, settings.database_url, settings.node, program_version(), outside)


def program_version() -> str:
    """Of this program, as pyproject.toml says."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(told["project"]["version"])
