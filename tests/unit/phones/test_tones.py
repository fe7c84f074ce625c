from array import array

import numpy as np
import pytest

from phones import g711, sounds
from phones.tones import likeliest, longest_silence, loudness, silences, similarity, spoken, tone_share

pytestmark = pytest.mark.unit


def _pcm(*parts: sounds.Sound) -> "array[int]":
    return g711.decode(b"".join(sounds.sequence(*parts)))


def _mix(*voices: "array[int]") -> "array[int]":
    return array("h", (sum(samples) // len(voices) for samples in zip(*voices, strict=True)))


def _noise(seed: int, seconds: float = 3.0) -> "array[int]":
    """Speech-like enough: coloured noise under a syllable's envelope, different for each seed."""
    random = np.random.default_rng(seed)
    count = int(8000 * seconds)
    raw = np.convolve(random.normal(size=count), np.hanning(9), "same")
    envelope = 0.2 + np.abs(np.sin(np.arange(count) / 8000 * 2 * np.pi * (2 + seed % 3)))
    return array("h", (raw * envelope * 1500).clip(-32768, 32767).astype(np.int16).tobytes())


def test_a_law_keeps_every_byte_and_rounds_every_sample() -> None:
    assert g711.encode(g711.decode(bytes(range(256)))) == bytes(range(256))
    samples = array("h", range(-32000, 32000, 7))
    back = g711.decode(g711.encode(samples))
    assert max(abs(a - b) / max(abs(a), 256) for a, b in zip(samples, back, strict=True)) < 0.04
    assert g711.encode(array("h", [0])) == bytes([g711.SILENCE])


def test_a_tone_is_found_and_another_is_not() -> None:
    pcm = _pcm(sounds.tone(440, seconds=1.0), sounds.quiet(1.0))
    assert tone_share(pcm, 440) == pytest.approx(0.5, abs=0.03)
    assert tone_share(pcm, 880) == 0.0
    assert tone_share(array("h"), 440) == 0.0


def test_three_voices_of_a_conference_are_told_apart() -> None:
    pcm = _mix(*(_pcm(sounds.tone(hz, seconds=1.0)) for hz in (440, 620, 880)))
    assert all(tone_share(pcm, hz) > 0.95 for hz in (440, 620, 880))
    assert tone_share(pcm, 1000) == 0.0


def test_silences_are_found_with_their_place() -> None:
    pcm = _pcm(sounds.quiet(0.5), sounds.tone(440, seconds=1.0), sounds.quiet(2.0), sounds.tone(440, seconds=0.5))
    (first, first_length), (second, second_length) = silences(pcm)
    assert [first, first_length] == pytest.approx([0.0, 0.5])
    assert [second, second_length] == pytest.approx([1.5, 2.0])
    assert longest_silence(pcm) == pytest.approx(2.0)
    assert loudness(_pcm(sounds.quiet(1.0))) < 0.001


def test_a_prompt_is_recognised_through_a_law_and_not_mistaken_for_another() -> None:
    prompts = {f"prompt-{seed}": _noise(seed) for seed in range(3)}
    quieter = array("h", [0] * 5333 + [int(sample * 0.5) for sample in prompts["prompt-1"]] + [0] * 4000)
    heard = g711.decode(g711.encode(quieter))
    assert similarity(heard, prompts["prompt-1"]) > 0.95
    assert similarity(heard, prompts["prompt-2"]) < 0.1
    assert likeliest(heard, prompts)[0] == "prompt-1"


def test_half_a_prompt_counts_half() -> None:
    prompt = _noise(4, 4.0)
    assert similarity(prompt[:16000] + array("h", [0] * 16000), prompt) == pytest.approx(0.5, abs=0.1)
    assert similarity(array("h"), prompt) == 0.0


def test_pieces_are_found_in_their_order_whatever_pauses_are_between_them() -> None:
    one, two, three = (_noise(seed, 0.4) for seed in (5, 6, 7))
    gap = array("h", [0] * 1234)
    heard = g711.decode(g711.encode(gap + one + gap + two + two + three + gap))
    assert spoken(heard, (one, two, two, three)) == pytest.approx((2 * 1234 + 4 * 3200) / 8000, abs=0.01)
    assert spoken(heard, (one, three, two)) is None, "another order"
    assert spoken(heard, (one, two, two, three, three)) is None, "one is missing"
    assert spoken(heard[: len(heard) - 3000], (one, two, two, three)) is None, "the last is cut off"
