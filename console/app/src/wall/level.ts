/** How good a figure is: what the wallboard shows by a colour and a shape. Pure. */

import type { GroupRow, MeasureRow } from "@/live/rows";

export type Level = "good" | "warn" | "bad" | "none";

/** One shape for each, so that nobody needs to tell the colours apart. */
export const SHAPES: Readonly<Record<Level, string>> = { good: "●", warn: "▲", bad: "■", none: "○" };
export const WORDS: Readonly<Record<Level, string>> = { good: "正常", warn: "注意", bad: "不达标", none: "无数据" };

/** Points of a share that it may fall short of its aim before it is bad. */
const NEAR = 0.05;
/** A wait is bad when it is so many times what the city aims at. */
const LONG = 4;

/** A share against the city's aim in percent. */
export function ofShare(share: number | null | undefined, percent: number): Level {
  if (share === null || share === undefined) return "none";
  const aim = percent / 100;
  return share >= aim ? "good" : share >= aim - NEAR ? "warn" : "bad";
}

/** The longest wait against the seconds within which callers are to be answered. */
export function ofWait(ms: number | null, seconds: number): Level {
  if (ms === null || ms <= seconds * 1000) return "good";
  return ms <= LONG * seconds * 1000 ? "warn" : "bad";
}

/** How many wait, against those who can answer: somebody for whom nobody is at work is the worst. */
export function ofWaiting(row: GroupRow): Level {
  if (!row.waiting) return "good";
  return row.waiting > atWork(row) ? "bad" : "warn";
}

/** Nobody free is to be looked at; with somebody waiting it is bad. */
export function ofReady(row: GroupRow): Level {
  if (count(row, "ready")) return "good";
  return row.waiting ? "bad" : row.agents ? "warn" : "none";
}

/** A group for which nobody is at work is to be looked at, also while nobody waits: who calls next will. */
export function ofDuty(row: GroupRow): Level {
  if (row.closed) return "none";
  return atWork(row) ? "good" : "warn";
}

const WORKING = ["ready", "reserved", "ringing", "talking", "hold", "wrap-up"] as const;

export function atWork(row: GroupRow): number {
  return WORKING.reduce((sum, state) => sum + count(row, state), 0);
}

export function count(row: GroupRow, ...states: readonly (keyof GroupRow["states"])[]): number {
  return states.reduce((sum, state) => sum + (row.states[state] ?? 0), 0);
}

/** Share of calls abandoned. */
export function abandonedShare(row: MeasureRow | undefined): number | null {
  return row?.calls ? row.abandoned / row.calls : null;
}
