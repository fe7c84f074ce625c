/** Samples of a microphone as a WAV file: one channel, 16 bits. Pure. */

const HEADER = 44;
const FULL = 32767;

/** Channels of equal length, mixed into one. */
export function mixed(channels: readonly Float32Array[]): Float32Array {
  const [first, ...others] = channels;
  if (!first) return new Float32Array(0);
  return first.map((value, at) => others.reduce((sum, one) => sum + (one[at] ?? 0), value) / channels.length);
}

/** `samples` between -1 and 1 at `rate` Hz. */
export function wav(samples: Float32Array, rate: number): ArrayBuffer {
  const made = new ArrayBuffer(HEADER + samples.length * 2);
  const view = new DataView(made);
  const word = (at: number, text: string): void => [...text].forEach((sign, place) => view.setUint8(at + place, sign.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, made.byteLength - 8, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((value, at) => view.setInt16(HEADER + at * 2, Math.round(Math.max(-1, Math.min(1, value)) * FULL), true));
  return made;
}

/** A sound that came as base64, for a player. */
export function soundOf(base64: string): Blob {
  return new Blob([Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))], { type: "audio/wav" });
}

/** How loud, 0 to 1, for a meter: -50 dB of full scale and less is 0, full scale is 1. */
export function level(samples: Float32Array): number {
  const power = samples.reduce((sum, value) => sum + value * value, 0) / Math.max(1, samples.length);
  return power > 0 ? Math.max(0, Math.min(1, 1 + (10 * Math.log10(power)) / 50)) : 0;
}
