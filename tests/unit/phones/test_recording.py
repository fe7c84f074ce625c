"""What was heard is put on the timeline where it belongs."""

import struct

import pytest

from phones import sounds
from phones.g711 import SILENCE
from phones.recording import Recording
from phones.rtp import Packet, event_frames, parse

pytestmark = pytest.mark.unit


def _packet(number: int, *, stamp: int | None = None, source: int = 1, byte: int = 0x11) -> Packet:
    return Packet(8, number, (number * 160 if stamp is None else stamp) & 0xFFFFFFFF, source, bytes([byte]) * 160)


def test_jitter_leaves_no_gap() -> None:
    heard = Recording(100.0)
    for n in range(100):
        heard.add(100.0 + 0.02 * (n + 1) + (0.015 if n % 7 == 3 else 0), _packet(n))
    assert heard.alaw() == bytes([0x11]) * 16000


def test_packets_out_of_order_are_put_in_order() -> None:
    heard = Recording(0.0)
    for at, n in enumerate([0, 2, 1, 3]):
        heard.add(0.02 * (at + 1), _packet(n, byte=n))
    assert heard.alaw() == b"".join(bytes([n]) * 160 for n in range(4))


def test_a_lost_packet_is_silence() -> None:
    heard = Recording(0.0)
    for n in (0, 1, 3, 4):
        heard.add(0.02 * (n + 1), _packet(n))
    assert heard.alaw()[320:480] == bytes([SILENCE]) * 160
    assert len(heard.alaw()) == 800


def test_a_reader_that_was_late_invents_no_silence() -> None:
    heard = Recording(0.0)
    for n in range(200):
        due = 0.02 * (n + 1)
        heard.add(max(due, 1.6) if 50 <= n < 80 else due, _packet(n))
    assert heard.alaw() == bytes([0x11]) * 32000


def test_a_real_pause_is_silence_even_when_timestamps_ignore_it() -> None:
    heard = Recording(0.0)
    for n in range(100):
        heard.add(0.02 * (n + 1), _packet(n))
    for n in range(100, 200):
        heard.add(0.02 * (n + 1) + 3.0, _packet(n))
    pcm = heard.alaw()
    assert len(pcm) == 32000 + 24000
    assert pcm[16000:40000] == bytes([SILENCE]) * 24000


def test_a_new_stream_continues_by_the_clock() -> None:
    heard = Recording(0.0)
    heard.add(0.02, _packet(0))
    heard.add(1.02, _packet(900, stamp=4_000_000_000, source=2, byte=0x22))
    assert len(heard.alaw()) == 8160
    assert heard.alaw()[-160:] == bytes([0x22]) * 160


def test_timestamps_may_wrap() -> None:
    heard = Recording(0.0)
    for n in range(4):
        heard.add(0.02 * (n + 1), _packet(n, stamp=0xFFFFFFFF - 200 + n * 160))
    assert heard.alaw() == bytes([0x11]) * 640


def test_a_part_between_two_moments() -> None:
    heard = Recording(10.0)
    for n in range(50):
        heard.add(10.0 + 0.02 * (n + 1), _packet(n))
    assert heard.alaw(10.5, 11.5) == bytes([0x11]) * 4000 + bytes([SILENCE]) * 4000
    assert heard.longest_gap(10.0, 12.0) == pytest.approx(1.0)


def test_each_key_counts_once() -> None:
    heard = Recording(0.0)
    for number, digit in enumerate("*110"):
        for payload, first, _ in event_frames(digit):
            packet = Packet(101, 0, 5000 + number * 2000, 1, payload, first)
            heard.add(0.0, parse(packet.encode()) or packet)
    assert heard.digits == "*110"


def test_a_key_ends_three_times_with_its_whole_length() -> None:
    frames = list(event_frames("5", milliseconds=100))
    assert [struct.unpack("!BBH", payload) for payload, _, _ in frames[-3:]] == [(5, 0x8A, 800)] * 3
    assert [first for _, first, _ in frames] == [True] + [False] * 7


@pytest.mark.parametrize("data", [b"", b"x" * 11, bytes([0x80, 200]) + bytes(20), bytes([0x8F, 8]) + bytes(12)])
def test_what_is_no_audio_packet_is_ignored(data: bytes) -> None:
    assert parse(data) is None


def test_a_sound_is_cut_into_frames_of_20_ms() -> None:
    frames = list(sounds.sequence(sounds.tone(440, seconds=0.1), sounds.quiet(0.04), sounds.alaw(b"ab")))
    assert [len(frame) for frame in frames] == [160] * 8
    assert frames[5] == sounds.QUIET_FRAME
    assert frames[7] == b"ab" + bytes([SILENCE]) * 158
