/** Reports as the engine gives them, the periods that people ask for, and values as people read them. Pure. */

export type Form = "count" | "share" | "seconds" | "hours";

export interface Column {
  id: string;
  head: string;
  form: Form;
  /** How it is counted; empty where the head says it all. */
  means: string;
}

export interface Line {
  key: string;
  name: string;
  calls: number;
  answered: number;
  abandoned: number;
  short_abandoned: number;
  values: (number | null)[];
}

export interface Report {
  title: string;
  compared_with: string;
  since: string;
  until: string;
  by: By;
  head: string;
  columns: Column[];
  lines: Line[];
  whole: Line;
  whole_before: Line;
  worst_day: { since: string; rate: number; calls: number } | null;
  pending: number;
}

export const BYS = {
  number: "按号码", group: "按技能组", agent: "按座席", day: "按日", "half-hour": "按半小时", month: "按月",
} as const;
export type By = keyof typeof BYS;

/** First and last day, both included. */
export type Span = [string, string];

const DAY_MS = 86_400_000;
const DATE = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit" });

/** The day of now on the city's clock. */
export function dayOf(now: number): string {
  return DATE.format(now);
}

/** The periods that are asked for most. */
export function usual(now: number): [string, Span][] {
  const day = (ago: number): string => dayOf(now - ago * DAY_MS);
  const today = day(0);
  const weekday = (new Date(`${today}T00:00:00Z`).getUTCDay() + 6) % 7; // Monday is 0
  return [
    ["今天", [today, today]],
    ["昨天", [day(1), day(1)]],
    ["本周", [day(weekday), today]],
    ["上周", [day(weekday + 7), day(weekday + 1)]],
    ["本月", [`${today.slice(0, 7)}-01`, today]],
    ["上个月", lastMonth(today)],
  ];
}

/** The whole calendar month before the day's. */
export function lastMonth(today: string): Span {
  const end = new Date(`${today.slice(0, 7)}-01T00:00:00Z`).getTime() - DAY_MS;
  const last = new Date(end).toISOString().slice(0, 10);
  return [`${last.slice(0, 7)}-01`, last];
}

/** `1,234`, `95.0%`, `8.3`; a dash for what nobody can know. */
export function written(value: number | null, form: Form): string {
  if (value === null) return "—";
  switch (form) {
    case "share":
      return `${(value * 100).toFixed(1)}%`;
    case "seconds":
      return value.toFixed(1);
    case "hours":
      return value.toFixed(2);
    case "count":
      return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
  }
}

const UNITS: Readonly<Record<Form, string>> = { count: "", share: "", seconds: "秒", hours: "小时" };

/** The head with its unit. */
export function headOf(column: Column): string {
  const unit = UNITS[column.form];
  return unit ? `${column.head}（${unit}）` : column.head;
}

/** More or less than in the period before: `+12`, `−3.1 个百分点`; empty where there is nothing to compare. */
export function change(now: number | null, before: number | null, form: Form): string {
  if (now === null || before === null) return "";
  const by = now - before;
  const sign = by < 0 ? "−" : "+";
  if (form === "share") return `${sign}${(Math.abs(by) * 100).toFixed(1)} 个百分点`;
  return `${sign}${written(Math.abs(by), form)}`;
}

/** Where the calls behind a line are listed; nothing for times of day, which no search knows. */
export function callsOf(report: Report, line: Line, outcome: "" | "answered" | "unanswered" = ""): Record<string, string> | null {
  const own: Record<string, string> = {};
  let [since, until] = [report.since.slice(0, 19), report.until.slice(0, 19)];
  if (line.key) {
    if (report.by === "half-hour" || report.by === "month") return null;
    if (report.by === "day") {
      since = `${line.key}T00:00:00`;
      until = new Date(Date.parse(`${line.key}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 19);
    } else own[report.by] = line.key;
  }
  return { since, until, ...own, ...(outcome && { outcome }) };
}
