/** Prompts as the engine tells them. Pure. */

export interface Use {
  what: string;
  sheet: string;
  key: string;
}

export interface Prompt {
  id: string;
  language: string;
  kind: string;
  text: string;
  own_text: string;
  from_table: boolean;
  source: string | null;
  seconds: number | null;
  remark: string;
  version: number;
  lapsed: boolean;
  uses: Use[];
}

export interface Version {
  number: number;
  at: string;
  by: string;
  reason: string;
  source: string;
  text: string;
  seconds: number;
}

export interface Whole extends Prompt {
  versions: Version[];
}

/** A sound that was made and is not in force yet, or is now. */
export interface Trial {
  text: string;
  source: string;
  seconds: number;
  rms_dbfs: number;
  remark: string;
  sound: string;
  version: number | null;
}

export const KINDS: Readonly<Record<string, string>> = {
  greeting: "欢迎", transition: "过渡期", announcement: "公告", waiting: "等候", trouble: "异常", transfer: "转接",
  rating: "好差评", ending: "结束", seat: "座席话机", order: "应急工单",
};

export const LANGUAGES: Readonly<Record<string, string>> = { "zh-CN": "普通话", yue: "粤语" };
export const SOURCES: Readonly<Record<string, string>> = { tts: "合成", human: "录音" };

export const languageOf = (one: { language: string }): string => LANGUAGES[one.language] ?? one.language;
export const sourceOf = (one: { source: string | null }): string => (one.source ? (SOURCES[one.source] ?? one.source) : "未生成");

/** What is said of a length: `3.4 秒`. */
export const secondsOf = (one: { seconds: number | null }): string => (one.seconds === null ? "—" : `${one.seconds.toFixed(1)} 秒`);

/** Those of a kind, a language, a voice; nothing chosen: all. */
export function chosen(rows: readonly Prompt[], kind: string, language: string, source: string): Prompt[] {
  return rows.filter(
    (one) => (!kind || one.kind === kind) && (!language || one.language === language) && (!source || one.source === source),
  );
}

/** Where to read and change the row that names it; nothing for a place of the product itself. */
export function linkOf(use: Use): { path: string; query: Record<string, string> } | null {
  return use.sheet ? { path: "/routing", query: { sheet: use.sheet, row: use.key } } : null;
}
