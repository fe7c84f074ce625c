/** The emergency numbers as the bar shows them, and how their lines are. Pure. */

import type { RouteRow } from "@/live/rows";

/** National emergency numbers, always in this order. */
export const CENTRES = [
  { number: "110", name: "报警" },
  { number: "119", name: "火警" },
  { number: "120", name: "急救" },
  { number: "122", name: "交通事故" },
] as const;

export interface Health {
  words: string;
  /** Sign and colour: nothing is told by colour alone. */
  kind: "good" | "warn" | "bad" | "unknown";
}

/** How the lines to a centre or partner are. A line whose probe failed is dialled all the same, after the others. */
export function health(routes: Readonly<Record<string, RouteRow>>, target: string): Health {
  const lines = Object.values(routes)
    .filter((row) => row.target === target)
    .sort((one, other) => one.place - other.place);
  if (!lines.length) return { words: "没有线路", kind: "bad" };
  if (lines[0]?.up) return { words: "线路正常", kind: "good" };
  if (lines.some((row) => row.up)) return { words: "走备用线路", kind: "warn" };
  if (lines.some((row) => row.up === null)) return { words: "线路待查", kind: "unknown" };
  return { words: "线路不通，照样可呼", kind: "bad" };
}

export const SIGNS: Record<Health["kind"], string> = { good: "●", warn: "◆", bad: "▲", unknown: "○" };
