/** What the set-up page is told, and how it counts. */

import { get } from "@/api/http";

export type StepState = "done" | "todo" | "advice";

export interface Step {
  readonly id: string;
  readonly title: string;
  readonly state: StepState;
  readonly told: string;
  readonly details: readonly string[];
  /** Where it is done; empty: here, or outside of the console. */
  readonly page: string;
}

export interface Progress {
  readonly done: boolean;
  readonly steps: readonly Step[];
}

export interface Finding {
  readonly subject: string;
  readonly level: string;
  readonly message: string;
}

export interface Point {
  readonly name: string;
  readonly came: "done" | "fault" | "open";
  readonly text: string;
}

export interface Trial {
  readonly call: { readonly call: string; readonly story: readonly { seconds: number; text: string }[] } | null;
  readonly points: readonly Point[];
  /** Who could answer at this moment. */
  readonly staff: string;
  readonly over?: boolean;
}

export interface SampleRow {
  readonly kind: string;
  readonly kind_name: string;
  readonly key: string;
  readonly name: string;
  readonly words: string;
  readonly why?: string;
}

export interface Samples {
  readonly version: number;
  readonly rows: readonly SampleRow[];
  readonly kept: readonly SampleRow[];
  readonly marked: readonly SampleRow[];
  readonly users: readonly { user: string; name: string }[];
  readonly faults: readonly { severity: string; told: string }[];
  readonly hindrances: readonly string[];
}

export const SIGNS: Readonly<Record<StepState, string>> = { done: "✓ 已做好", todo: "✕ 要做", advice: "△ 建议" };

/** Whether the city is set up; what cannot be asked must keep nobody from his work. */
export async function isSetUp(): Promise<boolean> {
  try {
    return (await get<Progress>("/api/setup")).done;
  } catch {
    return true;
  }
}

/** The doctor's lines as the first step. */
export function doctorStep(findings: readonly Finding[]): Step {
  const title = "本机和系统";
  const faults = findings.filter((one) => one.level === "故障");
  const notes = findings.filter((one) => one.level === "注意");
  const details = [...faults, ...notes].map((one) => `${one.subject}：${one.message}`);
  if (faults.length) return { id: "doctor", title, state: "todo", told: `有 ${faults.length} 处故障${notes.length ? `、${notes.length} 处要注意` : ""}，请按说明处理`, details, page: "/health" };
  if (notes.length) return { id: "doctor", title, state: "advice", told: `没有故障，有 ${notes.length} 处要注意`, details, page: "/health" };
  return { id: "doctor", title, state: "done", told: `检查了 ${findings.length} 项，全部正常`, details: [], page: "/health" };
}

/** Rows of one kind together, in their order. */
export function byKind(rows: readonly SampleRow[]): readonly { name: string; words: string; count: number }[] {
  const found = new Map<string, string[]>();
  for (const row of rows) found.set(row.kind_name, [...(found.get(row.kind_name) ?? []), label(row)]);
  return [...found].map(([name, words]) => ({ name, words: words.join("、"), count: words.length }));
}

/** Why rows stay, each reason once with whom it keeps. */
export function byReason(rows: readonly SampleRow[]): readonly { why: string; words: string; count: number }[] {
  const found = new Map<string, SampleRow[]>();
  for (const row of rows) found.set(row.why ?? "", [...(found.get(row.why ?? "") ?? []), row]);
  return [...found].map(([why, its]) => ({
    why,
    words: byKind(its).map((one) => `${one.name} ${one.words}`).join("；"),
    count: its.length,
  }));
}

/** What people call the row: its number and name, its name, or what it says. */
function label({ kind, key, name }: SampleRow): string {
  if (kind === "numbers") return `${key} ${name}`;
  if (kind === "announcements") return `“${name}”`;
  return !name || name.includes(key) ? key : name;
}
