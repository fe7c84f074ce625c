"""``hotline serve``: the engine alone, for a service manager; Asterisk runs elsewhere."""

from __future__ import annotations

import gc
from typing import Final

import uvloop

from config.logging import configure_logging
from config.settings import load_settings
from engine.serve import serve

GC_THRESHOLD: Final = (20_000, 20, 20)
"""A call makes some thousand objects, nearly all of which die with their last reference."""


def command() -> None:
    """只运行引擎（供服务管理器使用）；Asterisk 由别处运行。"""
    settings = load_settings()
    configure_logging()
    # What is loaded stays: the collector need not walk it again for every few calls.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    uvloop.run(serve(settings))
