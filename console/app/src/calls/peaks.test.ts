import { expect, test } from "vitest";
import { afterSilence, columns, silences, STEP, WavPeaks } from "./peaks";

const RATE = 8000;

function wav(samples: number[], bits = 16): Uint8Array {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const text = (at: number, what: string): void => [...what].forEach((sign, index) => view.setUint8(at + index, sign.charCodeAt(0)));
  text(0, "RIFF");
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint16(34, bits, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((value, index) => view.setInt16(44 + index * 2, value, true));
  return bytes;
}

const tone = (seconds: number, loud: number): number[] =>
  Array.from({ length: seconds * RATE }, (_, index) => Math.round(loud * 32767 * Math.sin(index / 3)));

test.each([1, 7, 45, 1000, 99_999])("peaks are the same however the bytes arrive (%i at a time)", (size) => {
  const bytes = wav([...tone(1, 0.5), ...tone(1, 0)]);
  const reader = new WavPeaks();
  for (let at = 0; at < bytes.length; at += size) reader.feed(bytes.subarray(at, at + size));
  expect(reader.peaks.length).toBe(2 / STEP);
  expect(reader.peaks.slice(0, 20).every((peak) => Math.abs(peak - 0.5) < 0.01)).toBe(true);
  expect(reader.peaks.slice(20).every((peak) => peak === 0)).toBe(true);
});

test("what is no recording of ours is said in words", () => {
  expect(() => new WavPeaks().feed(new Uint8Array(5000))).toThrow("WAV");
  expect(() => new WavPeaks().feed(wav([1, 2, 3], 8))).toThrow("16 位");
});

test("long silences are skipped and pauses are not", () => {
  const peaks = [...Array<number>(20).fill(0.3), ...Array<number>(10).fill(0), 0.3, ...Array<number>(60).fill(0.005), 0.2];
  const quiet = silences(peaks);
  expect(quiet).toHaveLength(1);
  expect([quiet[0]?.from, quiet[0]?.to]).toEqual([31 * STEP + 0.25, 91 * STEP - 0.25].map((value) => expect.closeTo(value) as number));
  expect(afterSilence(2, quiet)).toBeCloseTo(91 * STEP - 0.25);
  expect(afterSilence(0.5, quiet)).toBe(0.5);
  expect(silences(Array<number>(100).fill(0))).toHaveLength(1);
});

test("a picture has one column for each of its points", () => {
  expect(columns([0, 0.5, 0.1, 0.9], 2)).toEqual([0.5, 0.9]);
  expect(columns([0.5], 3)).toEqual([0.5, 0.5, 0.5]);
  expect(columns([], 2)).toEqual([0, 0]);
});
