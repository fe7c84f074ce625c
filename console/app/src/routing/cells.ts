/** Cells that hold several things, as rows of a form and back: the same text as in a workbook. Pure. */

const SEPARATOR = "、";

/** One row of what happens to callers who cannot be served soon. */
export interface Overflow {
  when: string;
  value: number;
  to: string;
  target: string;
}

export const WHEN: Readonly<Record<string, string>> = {
  waited: "等候满（秒）", expected: "预计等候超过（秒）", length: "排队超过（个）", nobody: "没有人签入且等候满（秒）",
};

export const TO: Readonly<Record<string, string>> = {
  group: "转技能组", everyone: "转全部座席", subcentre: "转分中心", "duty-phone": "转值班电话", callback: "请留号码回拨", message: "请留言",
};

/** Whose keys the target is, or whether a number is typed; nothing for what needs no target. */
export const TARGETS: Readonly<Record<string, "groups" | "trunks" | "number">> = {
  group: "groups", subcentre: "trunks", "duty-phone": "number",
};

export function overflowsOf(text: string): Overflow[] {
  return listOf(text).map((part) => {
    const [when = "", value = "", to = "", ...target] = part.split(":");
    return { when, value: Number(value) || 0, to, target: target.join(":") };
  });
}

export function overflowText(rows: readonly Overflow[]): string {
  return rows
    .map(({ when, value, to, target }) => [when, `${value}`, to, ...(TARGETS[to] && target ? [target] : [])].join(":"))
    .join(SEPARATOR);
}

export interface Level {
  key: string;
  level: number;
}

export function levelsOf(text: string): Level[] {
  return listOf(text).map((part) => {
    const [key = "", level = ""] = part.split(":");
    return { key, level: Number(level) || 1 };
  });
}

export const levelText = (rows: readonly Level[]): string =>
  rows.filter((row) => row.key).map((row) => `${row.key}:${row.level}`).join(SEPARATOR);

/** `线路:pstn、班表:` by its parts' titles. */
export function partsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    listOf(text).map((part) => {
      const at = part.indexOf(":");
      return at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

export const partsText = (titles: readonly string[], values: Readonly<Record<string, string>>): string =>
  titles.map((title) => `${title}:${values[title] ?? ""}`).join(SEPARATOR);

export const listOf = (text: string): string[] => text.split(SEPARATOR).map((part) => part.trim()).filter(Boolean);
export const listText = (parts: readonly string[]): string => parts.join(SEPARATOR);

/** The list with the one at this place moved; past an end it stays. */
export function moved<T>(list: readonly T[], at: number, by: -1 | 1): T[] {
  const to = at + by;
  if (to < 0 || to >= list.length) return [...list];
  const made = [...list];
  made.splice(to, 0, ...made.splice(at, 1));
  return made;
}
