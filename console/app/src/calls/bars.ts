/** Bars of a call's timeline as places on a line. Pure. */

import type { Bar, Timeline } from "./model";

export interface Lane {
  lane: string;
  who: string;
  bars: (Bar & { left: number; width: number; seconds: number })[];
}

const THINNEST = 0.4; // per cent; what is shorter could not be seen

/** Lanes in the order in which they came into the call; places in per cent of the whole. */
export function lanes(timeline: Timeline): Lane[] {
  const whole = Math.max(1, timeline.seconds);
  const found = new Map<string, Lane>();
  for (const bar of timeline.bars) {
    const lane = found.get(bar.lane) ?? { lane: bar.lane, who: bar.who, bars: [] };
    found.set(bar.lane, lane);
    const until = Math.min(bar.until ?? timeline.seconds, timeline.seconds);
    const seconds = Math.max(0, until - bar.since);
    const left = Math.min(100 - THINNEST, (100 * bar.since) / whole);
    lane.bars.push({ ...bar, seconds, left, width: Math.max(THINNEST, Math.min(100 - left, (100 * seconds) / whole)) });
  }
  return [...found.values()];
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const MOST_TICKS = 8;

/** Seconds at which a line of this length is marked. */
export function ticks(seconds: number): number[] {
  const step = STEPS.find((one) => seconds / one <= MOST_TICKS) ?? Math.ceil(seconds / MOST_TICKS);
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, place) => place * step);
}
