/** What comes over the live WebSocket, and how rows follow it. Pure. */

export type Row = Readonly<Record<string, unknown>>;
export type Rows<R = Row> = Readonly<Record<string, R>>;

export type Frame =
  | { readonly topic: "pulse"; readonly at: number }
  | { readonly topic: string; readonly at: number; readonly whole: Rows }
  | { readonly topic: string; readonly at: number; readonly set: Rows; readonly gone: readonly string[] };

/** The rows after a frame; the same object when the frame is none of theirs. */
export function applied(rows: Rows, frame: Frame): Rows {
  if ("whole" in frame) return frame.whole;
  if (!("set" in frame)) return rows;
  const next: Record<string, Row> = { ...rows, ...frame.set };
  for (const key of frame.gone) Reflect.deleteProperty(next, key);
  return next;
}

/** How long to wait before the next try, in ms: doubled from 0.5 s up to 8 s, and up to half of it less, by chance. */
export function pause(tries: number, chance: number): number {
  const longest = Math.min(8000, 500 * 2 ** Math.min(tries, 10));
  return longest * (1 - chance / 2);
}
