import { describe, expect, it } from "vitest";
import { level, mixed, wav } from "./wav";

describe("a recording of the page", () => {
  it("is a WAV file of one channel and 16 bits", () => {
    const view = new DataView(wav(Float32Array.of(0, 1, -1, 2), 48000));
    const word = (at: number): string => String.fromCharCode(...[0, 1, 2, 3].map((place) => view.getUint8(at + place)));
    expect([word(0), word(8), word(36)]).toEqual(["RIFF", "WAVE", "data"]);
    expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint16(34, true)]).toEqual([1, 48000, 16]);
    expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([0, 32767, -32767, 32767]);
    expect(view.getUint32(40, true)).toBe(8);
  });

  it("is the mean of its channels", () => {
    expect([...mixed([Float32Array.of(1, 0), Float32Array.of(0, 0.5)])]).toEqual([0.5, 0.25]);
    expect(mixed([]).length).toBe(0);
  });

  it("has a level that is nothing in silence and full at full scale", () => {
    expect(level(new Float32Array(100))).toBe(0);
    expect(level(new Float32Array(100).fill(1))).toBe(1);
    expect(level(new Float32Array(100).fill(0.1))).toBeCloseTo(0.6);
  });
});
