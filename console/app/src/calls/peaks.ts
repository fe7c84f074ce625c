/** Loudness along a recording, taken from its bytes as they arrive; an hour leaves 72 000 numbers. Pure. */

export const STEP = 0.05; // s; one peak for each
const HEADER_MOST = 4096; // bytes; what begins no sound by then is no recording of ours
const QUIET = 0.012; // of full scale: below it nobody speaks (line noise of G.711 is about 0.005)
const SHORTEST_SILENCE = 1.5; // s; a shorter pause belongs to speaking
const MARGIN = 0.25; // s left at both ends of what is skipped

export interface Stretch {
  from: number;
  to: number;
}

/** Reads a WAV file with 16-bit samples piece by piece. */
export class WavPeaks {
  /** From 0 to 1, one for each STEP. */
  readonly peaks: number[] = [];
  private head = new Uint8Array(0);
  private perPeak = 0;
  private seen = 0;
  private loudest = 0;
  private half = -1;

  /** Throws an Error in Chinese for what is no such file. */
  feed(bytes: Uint8Array): void {
    if (this.perPeak) return this.samples(bytes);
    const head = new Uint8Array(this.head.length + bytes.length);
    head.set(this.head);
    head.set(bytes, this.head.length);
    const data = this.header(head);
    if (data < 0) {
      if (head.length > HEADER_MOST) throw new Error("这个录音不是 WAV，画不出波形；仍可播放");
      this.head = head;
    } else this.samples(head.subarray(data));
  }

  /** Where the sound begins; -1: not here yet. */
  private header(head: Uint8Array): number {
    const view = new DataView(head.buffer);
    let rate = 0;
    for (let at = 12; at + 8 <= head.length;) {
      const name = String.fromCharCode(...head.subarray(at, at + 4));
      if (name === "data") {
        this.perPeak = Math.max(1, Math.round(rate * STEP));
        return at + 8;
      }
      if (name === "fmt " && at + 24 <= head.length) {
        rate = view.getUint32(at + 12, true) * view.getUint16(at + 10, true);
        if (view.getUint16(at + 8, true) !== 1 || view.getUint16(at + 22, true) !== 16) {
          throw new Error("这个录音不是 16 位 PCM，画不出波形；仍可播放");
        }
      }
      at += 8 + view.getUint32(at + 4, true);
    }
    return -1;
  }

  private samples(bytes: Uint8Array): void {
    let at = 0;
    if (this.half >= 0 && bytes.length) {
      this.sample(this.half | ((bytes[at++] as number) << 8));
      this.half = -1;
    }
    for (; at + 1 < bytes.length; at += 2) this.sample((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
    if (at < bytes.length) this.half = bytes[at] as number;
  }

  private sample(word: number): void {
    const loud = Math.abs(word > 32767 ? word - 65536 : word);
    if (loud > this.loudest) this.loudest = loud;
    if (++this.seen < this.perPeak) return;
    this.peaks.push(this.loudest / 32768);
    this.seen = this.loudest = 0;
  }
}

/** Where nobody speaks, with a little left at both ends. */
export function silences(peaks: readonly number[]): Stretch[] {
  const found: Stretch[] = [];
  let since = -1;
  for (let place = 0; place <= peaks.length; place++) {
    const quiet = place < peaks.length && (peaks[place] as number) < QUIET;
    if (quiet && since < 0) since = place;
    if (quiet || since < 0) continue;
    const [from, to] = [since * STEP, place * STEP];
    if (to - from >= SHORTEST_SILENCE) found.push({ from: from + MARGIN, to: to - MARGIN });
    since = -1;
  }
  return found;
}

/** Where to go on from here when silence is skipped. */
export function afterSilence(at: number, quiet: readonly Stretch[]): number {
  const within = quiet.find((one) => at >= one.from && at < one.to);
  return within ? within.to : at;
}

/** The loudest of each column of a picture this wide. */
export function columns(peaks: readonly number[], width: number): number[] {
  return Array.from({ length: width }, (_, x) => {
    const [from, to] = [Math.floor((x * peaks.length) / width), Math.ceil(((x + 1) * peaks.length) / width)];
    let most = 0;
    for (let place = from; place < to; place++) most = Math.max(most, peaks[place] ?? 0);
    return most;
  });
}
