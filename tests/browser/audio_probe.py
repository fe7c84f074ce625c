"""A browser that speaks, and what its page hears: tones, so that who hears whom can be measured."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.browser_users import FAKE_MEDIA, WAIT_MS, chromium

PAGE_HZ = 1000
NEAR_HZ = 15

PEERS = """
window.peers = [];
const Plain = RTCPeerConnection;
window.RTCPeerConnection = class extends Plain { constructor(...told) { super(...told); window.peers.push(this); } };
"""
"""Keeps the page's connections where a test can listen to them."""

_LOUDEST_HZ = """
async () => {
  const context = new AudioContext();
  await context.resume();
  const track = window.peers.at(-1).getReceivers()[0].track;
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const heard = new Float32Array(analyser.frequencyBinCount);
  await new Promise((go) => setTimeout(go, 500));
  analyser.getFloatFrequencyData(heard);
  const rate = context.sampleRate;
  await context.close();
  return heard.indexOf(Math.max(...heard)) * rate / analyser.fftSize;
}
"""

LISTEN = """async () => {
  const audio = document.querySelector("audio");
  if (audio.readyState < 2) await new Promise((go) => audio.addEventListener("canplay", go, { once: true }));
  window.ears ??= new AudioContext();
  if (audio.ear === undefined) {
    audio.ear = window.ears.createAnalyser();
    audio.ear.fftSize = 8192;
    audio.ear.smoothingTimeConstant = 0; // what was heard before is no part of this
    const from = window.ears.createMediaElementSource(audio);
    from.connect(audio.ear);
    audio.ear.connect(window.ears.destination);
  }
  const began = audio.currentTime, ear = audio.ear, bins = new Float32Array(ear.frequencyBinCount);
  let peak = 0, loudest = -90;
  const late = performance.now() + 10000;
  while (audio.currentTime < began + 1.2 && !audio.ended && performance.now() < late) {
    await new Promise(requestAnimationFrame);
    if (audio.currentTime < began + 0.4) continue; // the ear still holds the side before
    ear.getFloatFrequencyData(bins);
    const most = bins.reduce((best, value, place) => (value > bins[best] ? place : best), 0);
    if (bins[most] > loudest) [loudest, peak] = [bins[most], (most * window.ears.sampleRate) / ear.fftSize];
  }
  return { went: audio.currentTime - began, peak: Math.round(peak), loudest };
}"""
"""What is heard of the player for 1.2 s: how far it went, and the loudest tone in Hz."""


@asynccontextmanager
async def speaking(folder: Path) -> AsyncIterator[Browser]:
    """A browser whose microphone hears bursts of 1000 Hz: a steady tone is taken for noise."""
    voice = folder / "voice.wav"
    _bursts(voice)
    async with chromium((*FAKE_MEDIA, f"--use-file-for-fake-audio-capture={voice}")) as running:
        yield running


def bar(page: Page) -> Locator:
    """The phone in the page."""
    return page.get_by_role("region", name="网页电话")


async def says(page: Page, words: str) -> None:
    """Until the phone in the page says so."""
    await expect(bar(page)).to_contain_text(words, timeout=WAIT_MS)


async def page_hears(page: Page, hz: float) -> None:
    """Until this tone is the loudest that the page plays; prompts may still be on."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while abs(await page.evaluate(_LOUDEST_HZ) - hz) > NEAR_HZ:
            pass


def _bursts(path: Path) -> None:
    """A quarter of a second of tone, a quarter of silence, eight times."""
    rate = 48_000
    samples = (
        int(12_000 * math.sin(2 * math.pi * PAGE_HZ * i / rate)) if i % (rate // 2) < rate // 4 else 0
        for i in range(rate * 4)
    )
    with wave.open(str(path), "w") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
