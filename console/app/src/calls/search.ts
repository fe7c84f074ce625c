/** What somebody looks for, as the engine is asked for it. Pure. */

export interface Wanted {
  /** From and to, `2026-10-10T09:00:00` on the city's clock. */
  time: [string, string] | null;
  caller: string;
  number: string;
  agent: string;
  group: string;
  ratings: number[];
  transfer: string;
  outcome: "" | "answered" | "unanswered";
  /** A code, or `-`: nobody has said (未填). */
  wrapUpCode: string;
}

export const ZONE = "+08:00"; // the city's; China has one and no summer time
const DAY_MS = 86_400_000;

/** From midnight `days` days before today up to the next midnight, on the city's clock. */
export function lastDays(days: number, now: number): [string, string] {
  const today = Math.floor((now + DAY_MS / 3) / DAY_MS) * DAY_MS; // 8 h = a third of a day
  const text = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
  return [text(today - days * DAY_MS), text(today + DAY_MS)];
}

export function nothing(now: number): Wanted {
  return { time: lastDays(6, now), caller: "", number: "", agent: "", group: "", ratings: [], transfer: "", outcome: "", wrapUpCode: "" };
}

/** What a link to this page looks for (`?since=…&number=…`), e.g. the calls behind a figure of a report. */
export function linked(query: Readonly<Record<string, unknown>>, now: number): Wanted {
  const text = (key: string): string => (typeof query[key] === "string" ? query[key] : "");
  const [since, until, outcome] = [text("since"), text("until"), text("outcome")];
  return {
    ...nothing(now),
    ...(since && until ? { time: [since, until] as [string, string] } : {}),
    number: text("number"),
    group: text("group"),
    agent: text("agent"),
    outcome: outcome === "answered" || outcome === "unanswered" ? outcome : "",
  };
}

/** Spaces and dashes are how people write numbers. */
export function digits(caller: string): string {
  return caller.replace(/[\s-]/g, "");
}

/** What is wrong with the caller's number; empty: nothing. */
export function callerFault(caller: string): string {
  const given = digits(caller);
  return !given || /^\+?\d{4,32}$/.test(given) ? "" : "请写完整的来电号码，或至少末尾 4 位数字";
}

/** The fields of the question; empty ones are left out. */
export function question(wanted: Wanted, before: string | null): Record<string, string> {
  const told: Record<string, string> = {
    since: wanted.time ? wanted.time[0] + ZONE : "",
    until: wanted.time ? wanted.time[1] + ZONE : "",
    caller: digits(wanted.caller),
    number: wanted.number,
    agent: wanted.agent,
    group: wanted.group,
    rating: [...wanted.ratings].sort().join(","),
    transfer: wanted.transfer,
    outcome: wanted.outcome,
    wrap_up_code: wanted.wrapUpCode,
    before: before ?? "",
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value));
}
