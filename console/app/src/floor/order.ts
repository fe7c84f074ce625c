/** Who is shown first on the floor, and who at all. Pure. */

import type { AgentRow, CallRow, SeatState } from "@/live/rows";

/** States that belong together, as a filter offers them. */
export const KINDS = {
  all: { name: "全部状态", states: [] },
  free: { name: "示闲", states: ["ready"] },
  talk: { name: "通话、振铃", states: ["reserved", "ringing", "talking", "hold"] },
  wrap: { name: "话后整理", states: ["wrap-up"] },
  pause: { name: "示忙", states: ["paused"] },
  away: { name: "未应答、失联、占用", states: ["not-responding", "unreachable", "busy"] },
} as const satisfies Record<string, { name: string; states: readonly SeatState[] }>;
export type Kind = keyof typeof KINDS;

/** One shape for each, beside its words. */
const SHAPES: Readonly<Record<SeatState, string>> = {
  "signed-out": "○", ready: "●", reserved: "◐", ringing: "◐", talking: "◉", hold: "❚❚", "wrap-up": "✎", paused: "▬",
  "not-responding": "▲", unreachable: "✕", busy: "◌",
};

export function shape(state: SeatState): string {
  return SHAPES[state];
}

/** Which colour: of who can answer, who does, who does not, and of who should be looked at. */
export function tone(state: SeatState): string {
  if (state === "ready") return "free";
  if (["reserved", "ringing", "talking", "hold"].includes(state)) return "talk";
  return ["not-responding", "unreachable"].includes(state) ? "away" : "rest";
}

const ORDER: readonly SeatState[] = [
  "not-responding", "unreachable", "hold", "talking", "ringing", "reserved", "wrap-up", "busy", "paused", "ready", "signed-out",
];

export type Agent = AgentRow & { id: string };

/** Those of a group and a kind of state, and whose 工号, name or seat has the text: the most pressing first, then the longest. */
export function chosen(rows: Readonly<Record<string, AgentRow>>, group: string, kind: Kind, text: string): Agent[] {
  const states: readonly SeatState[] = KINDS[kind].states;
  return Object.entries(rows)
    .map(([id, row]) => ({ ...row, id }))
    .filter((row) => !group || row.groups.includes(group))
    .filter((row) => !states.length || states.includes(row.state))
    .filter((row) => !text || [row.id, row.name, row.seat].some((part) => part.includes(text)))
    .sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.since_ms - other.since_ms || (one.id < other.id ? -1 : 1));
}

/** Who waits, in the order in which they will be served. */
export function line(rows: Readonly<Record<string, CallRow>>, group: string): CallRow[] {
  return Object.values(rows)
    .filter((row) => row.phase === "waiting" && (!group || row.group === group))
    .sort((one, other) => one.rank_ms - other.rank_ms || (one.call < other.call ? -1 : 1));
}
