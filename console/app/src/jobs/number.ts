/** A new merged number as edits of the draft: the number, its group, whose agents, its hours. Pure. */

import type { Edit, Row } from "@/routing/model";
import { periodsOf, type Week } from "@/routing/week";

export type Mode = "full" | "dual" | "subcentre";

export const MODES: readonly { mode: Mode; name: string; what: string }[] = [
  { mode: "full", name: "整体并入", what: "座席和号码都并入 12345，来电直接进技能组" },
  { mode: "dual", name: "双号并行", what: "部门上班时先由部门的组接听，下班和忙不过来时由 12345 接听" },
  { mode: "subcentre", name: "设分中心", what: "上班时转到分中心，没人接时收回" },
];

export interface NewNumber {
  number: string;
  name: string;
  mode: Mode;
  first: string;
  last: string;
  /** An existing group, or a new one of this name. */
  group: string;
  groupName: string;
  agents: readonly string[];
  trunk: string;
  /** An existing schedule; empty: round the clock, or the week that was drawn. */
  schedule: string;
  scheduleName: string;
  week: Week | null;
}

/** Keys that the engine has made for the rows that are new. */
export interface Keys {
  group: string;
  schedule: string;
}

export const promptsOf = (number: string): { during: string; after: string } => ({
  during: `legacy-${number}-during`, after: `legacy-${number}-after`,
});

/** What is still missing, in words; empty: nothing. */
export function missing(wanted: NewNumber): string[] {
  const told: string[] = [];
  if (!/^\d{3,12}$/.test(wanted.number)) told.push("号码应为 3 到 12 位数字");
  if (!wanted.name.trim()) told.push("请写名称，例如 人社");
  if (!wanted.group && !wanted.groupName.trim()) told.push("请选技能组，或写新技能组的名称");
  if (!wanted.group && !wanted.agents.length && wanted.mode !== "subcentre") told.push("新技能组还没有座席，请至少选一位");
  if (wanted.mode === "subcentre" && !wanted.trunk) told.push("请选通往分中心的线路");
  if (wanted.first && wanted.last && wanted.first > wanted.last) told.push("过渡期最后一天不能早于第一天");
  if (wanted.week && !wanted.week.some((day) => day.length)) told.push("请画出部门的上班时间，或改选全天");
  return told;
}

export function editsOf(wanted: NewNumber, keys: Keys, agents: readonly Row[]): Edit[] {
  const edits: Edit[] = [];
  const group = wanted.group || keys.group;
  const hours = wanted.mode !== "full";
  if (!wanted.group) edits.push({ kind: "groups", key: group, fields: { name: wanted.groupName.trim() } });
  if (hours && wanted.week) {
    const fields = { name: wanted.scheduleName.trim(), periods: periodsOf(wanted.week), holiday_periods: [] };
    edits.push({ kind: "schedules", key: keys.schedule, fields });
  }
  for (const key of wanted.agents) {
    const had = (agents.find((one) => one.key === key)?.fields["groups"] ?? []) as string[];
    if (!had.includes(group)) edits.push({ kind: "agents", key, fields: { groups: [...had, group] } });
  }
  const { during, after } = promptsOf(wanted.number);
  const fields = {
    name: wanted.name.trim(), mode: wanted.mode, group, prompt: during, prompt_after: after,
    first_day: wanted.first || null, last_day: wanted.last || null,
    schedule: hours ? (wanted.week ? keys.schedule : wanted.schedule) : "",
    trunk: wanted.mode === "subcentre" ? wanted.trunk : "",
  };
  edits.push({ kind: "numbers", key: wanted.number, fields });
  return edits;
}
