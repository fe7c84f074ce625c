"""``hotline serve``: the engine alone, for a service manager; Asterisk runs elsewhere."""

from __future__ import annotations

import asyncio

from engine.logging import configure_logging
from engine.serve import serve
from engine.settings import load_settings


def command() -> None:
    """只运行引擎（供服务管理器使用）；Asterisk 由别处运行。"""
    settings = load_settings()
    configure_logging()
    asyncio.run(serve(settings))
