"""espeak-ng and sox, as a few verbs.

One job: start these programs and hand samples to and from them. It knows no catalogue and no manifest.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ivr.prompts.catalogue import CANTONESE, MANDARIN
from ivr.prompts.loudness import Samples
from ivr.prompts.pinyin import pinyin
from ivr.prompts.speech import spoken

WIDE_RATE: Final = 16000
LINE_RATE: Final = 8000

VOICES: Final = {MANDARIN: "cmn-latn-pinyin", CANTONESE: "yue"}
"""The placeholder voice of each language."""
WORDS_PER_MINUTE: Final = 200
"""About four and a half syllables a second, an announcer's pace."""
AMPLITUDE: Final = 50
"""espeak-ng's own gain, of 200: at its default of 100 the wave touches full scale before we can turn it down."""

_RAW: Final = ("-t", "raw", "-e", "signed-integer", "-b", "16", "-c", "1")
_TRIM: Final = ("silence", "1", "0.02", "-50d", "reverse", "silence", "1", "0.02", "-50d", "reverse")
_TIDY: Final = ("gain", "-3", "highpass", "100", "rate", "-v", str(WIDE_RATE), *_TRIM, "pad", "0.05", "0.15")
"""The gain goes down first, so that resampling cannot clip; a telephone carries nothing below 100 Hz."""
_DEADLINE_SECONDS: Final = 60


class ToolMissing(RuntimeError):
    """A program that builds sound is not there; says what to install."""


class ToolFailed(RuntimeError):
    """A program that builds sound refused its work; carries what it said."""


def tools() -> str:
    """The versions of the programs in one line. Raises ToolMissing."""
    missing = [name for name in ("espeak-ng", "sox") if shutil.which(name) is None]
    if missing:
        raise ToolMissing(f"缺少程序 {'、'.join(missing)}，请运行：sudo apt-get install espeak-ng sox，然后重试")
    espeak = _run(["espeak-ng", "--version"]).decode(errors="replace")
    sox = _run(["sox", "--version"]).decode(errors="replace")
    found = [re.search(r"\d+(?:\.\d+)+", said) for said in (espeak, sox)]
    return " ".join(match[0] if match else "?" for match in found)


def say(text: str, language: str) -> Samples:
    """The placeholder voice saying ``text``, trimmed, 16 kHz. Raises pinyin.Unreadable or ToolFailed."""
    words = pinyin(text) if language == MANDARIN else spoken(text)
    voice = ["espeak-ng", "-v", VOICES[language], "-s", str(WORDS_PER_MINUTE), "-a", str(AMPLITUDE), "-z"]
    wav = _run([*voice, "--stdin", "--stdout"], words.encode())
    # A streamed wav has no true length in its header.
    sox = ["sox", "-D", "-t", "wav", "--ignore-length", "-", *_RAW, "-"]
    return _samples([*sox, *_TIDY], wav)


def read(recording: Path) -> tuple[Samples, int]:
    """A human recording as it is, one channel, and its rate in Hz. Raises ToolFailed when it is no sound file."""
    rate = int(_run(["sox", "--i", "-r", str(recording)]))
    return _samples(["sox", "-D", str(recording), *_RAW, "-", "remix", "-"]), rate


def tidy(samples: Samples, rate: int) -> Samples:
    """Silence trimmed from both ends, 16 kHz."""
    sox = ["sox", "-D", *_RAW, "-r", str(rate), "-", *_RAW, "-"]
    return _samples([*sox, *_TIDY], samples.tobytes())


def write(samples: Samples, line: Path, wide: Path) -> Samples:
    """Write 16 kHz samples as A-law for the line and as wav for people, each whole or not at all.

    Returns what the line will hear, decoded back from the A-law.
    """
    with io.BytesIO() as wav:
        with wave.open(wav, "wb") as header:
            header.setparams((1, 2, WIDE_RATE, 0, "NONE", ""))
            header.writeframes(samples.astype("<i2").tobytes())
        replace(wide, wav.getvalue())
    return write_line(samples, line)


def write_line(samples: Samples, line: Path) -> Samples:
    """Only what the line plays, as A-law; returns what it will hear. Raises ToolFailed."""
    sox = ["sox", "-D", *_RAW, "-r", str(WIDE_RATE), "-", "-t", "al", "-r", str(LINE_RATE), "-"]
    alaw = _run([*sox, "rate", "-v", str(LINE_RATE)], samples.astype("<i2").tobytes())
    replace(line, alaw)
    return decode(alaw)


def decode(alaw: bytes) -> Samples:
    """A-law of the line back to 16-bit samples at 8 kHz (ITU-T G.711)."""
    return _EXPANDED[np.frombuffer(alaw, dtype=np.uint8)]


def _expanded() -> Samples:
    """What each of the 256 A-law octets stands for."""
    octets = np.arange(256) ^ 0x55
    segment, step = (octets & 0x70) >> 4, (octets & 0x0F) << 4
    size = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, size, -size).astype(np.int16)


_EXPANDED: Final = _expanded()


def synthesise(arguments: Sequence[str]) -> Samples:
    """One channel of 16 kHz sound from sox's own oscillators; ``arguments`` are its effects."""
    return _samples(["sox", "-D", "-n", "-r", str(WIDE_RATE), *_RAW, "-", *arguments])


def replace(path: Path, content: bytes) -> None:
    """Put a file in place in one step, so that a call that plays it hears the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _samples(command: Sequence[str], given: bytes = b"") -> Samples:
    return np.frombuffer(_run(command, given), dtype="<i2").astype(np.int16)


def _run(command: Sequence[str], given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=_DEADLINE_SECONDS)
    except FileNotFoundError as missing:
        raise ToolMissing(f"缺少程序 {command[0]}，请运行：sudo apt-get install espeak-ng sox，然后重试") from missing
    except subprocess.TimeoutExpired as late:
        raise ToolFailed(f"{command[0]} 在 {_DEADLINE_SECONDS} 秒内没有完成，请检查机器负载后重试") from late
    if done.returncode:
        raise ToolFailed(f"{command[0]} 失败：{done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout
