/** Drills of a month: what each centre has had, and the small picture. Pure. */

export interface Line {
  target: string; trunk: string; tries: number; reached: number; failed: number; last_at: string | null; last_missed: string;
  key_to_invite_ms: number | null; invite_to_answer_ms: number | null;
}

export interface Drill {
  drill: string; target: string; at: string; seat: string; agent: string; by: string; success: boolean; ended: boolean; trunk: string;
  backup_used: boolean; key_to_invite_ms: number | null; invite_to_answer_ms: number | null; heard: boolean | null;
  failures: { trunk: string; why: string }[];
}

export interface Report {
  month: string;
  /** Centres without a drill that reached anybody. */
  missing: string[];
  trunks: Line[];
  drills: Drill[];
}

export const CENTRES: Readonly<Record<string, string>> = { "110": "公安", "119": "消防", "120": "急救", "122": "交警" };

const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit" });

/** The month (`2026-11`) in which this moment lies, in China's time. */
export function monthOf(ms: number): string {
  return DAY.format(ms).slice(0, 7);
}

/** The month so many after this one, or before. */
export function monthAfter(month: string, by: number): string {
  const [year, number] = month.split("-").map(Number) as [number, number];
  const all = year * 12 + number - 1 + by;
  return `${Math.floor(all / 12)}-${String((all % 12) + 1).padStart(2, "0")}`;
}

export function daysOf(month: string): number {
  const [year, number] = month.split("-").map(Number) as [number, number];
  return new Date(Date.UTC(year, number, 0)).getUTCDate();
}

export interface Centre {
  target: string;
  name: string;
  /** Its drill trunks, in their order. */
  lines: Line[];
  reached: number;
  tries: number;
  standing: "done" | "missing" | "impossible";
}

/** Each centre as the month stands; `impossible`: no drill trunk of it is in the table. */
export function centres(report: Report): Centre[] {
  return Object.entries(CENTRES).map(([target, name]) => {
    const lines = report.trunks.filter((one) => one.target === target);
    const mine = report.drills.filter((one) => one.target === target);
    const reached = mine.filter((one) => one.success).length;
    const standing = !report.missing.includes(target) ? "done" : lines.length ? "missing" : "impossible";
    return { target, name, lines, reached, tries: mine.length, standing };
  });
}

export interface Dot {
  target: string;
  day: number;
  good: number;
  bad: number;
}

/** Each centre's days of the month on which something was drilled. */
export function dots(report: Report): Dot[] {
  const found = new Map<string, Dot>();
  for (const one of report.drills) {
    const day = Number(DAY.format(Date.parse(one.at)).slice(8));
    const dot = found.get(`${one.target}/${day}`) ?? { target: one.target, day, good: 0, bad: 0 };
    found.set(`${one.target}/${day}`, { ...dot, good: dot.good + Number(one.success), bad: dot.bad + Number(!one.success) });
  }
  return [...found.values()];
}

/** The picture in words, for who does not see it. */
export function told(report: Report): string {
  const each = centres(report).map((one) => `${one.target} ${one.tries ? `演练 ${one.tries} 次，接通 ${one.reached} 次` : "没有演练"}`);
  return `${report.month}：${each.join("；")}`;
}

/** `812 毫秒`, `1.3 秒`, or a dash. */
export function took(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "—";
  return ms < 1000 ? `${ms} 毫秒` : `${(ms / 1000).toFixed(1)} 秒`;
}
