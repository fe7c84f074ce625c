/** The routing table as the engine describes it: this page knows no sheet and no column by name. Pure. */

export interface Column {
  name: string;
  title: string;
  type: "choice" | "reference" | "references" | "levels" | "overflow" | "parts" | "days" | "number" | "day" | "moment" | "long" | "text";
  hint: string;
  example: string;
  /** The kind of row whose keys may stand here. */
  refers: string;
  needed: boolean;
  empty: string;
  choices: string[];
  /** Of a setting with several parts. */
  parts: Part[];
}

export interface Part {
  title: string;
  refers: string;
  number: boolean;
}

export interface Sheet {
  kind: string;
  title: string;
  hint: string;
  /** `value`: settings, whose columns are its rows. */
  shape: "value" | "records" | "keys" | "pairs";
  /** Keys of new rows are made from their names; nobody types them. */
  made: boolean;
  columns: Column[];
}

export interface Row {
  kind: string;
  key: string;
  cells: Record<string, string>;
  /** The same to be read: rows of other kinds by their names. */
  words: Record<string, string>;
  /** The same as the table has it. */
  fields: Record<string, unknown>;
  revision: number;
  changed_at: string;
  changed_by: string;
}

export interface Fault {
  severity: "error" | "warning";
  rule: string;
  path: string;
  kind: string;
  row: string;
  field: string;
  /** The whole sentence, with the place. */
  told: string;
  /** Without the place. */
  reason: string;
}

export interface Conflict {
  kind: string;
  key: string;
  revision: number;
  deleted: boolean;
  sentence: string;
}

export interface Change {
  kind: string;
  key: string;
  action: "added" | "removed" | "changed";
  sentence: string;
}

export interface Edit {
  kind: string;
  key: string;
  cells?: Record<string, string>;
  /** In place of cells, as the table has it; null: delete the row. */
  fields?: Record<string, unknown> | null;
  seen?: number;
}

/** The columns of one row beside its key: of a setting the one that it is. */
export function columnsOf(sheet: Sheet, key: string): Column[] {
  if (sheet.shape !== "value") return sheet.columns.slice(1);
  return sheet.columns.filter((column) => column.name === key).map((column) => ({ ...column, name: "value" }));
}

/** What the row is called on the screen: of a setting its title, of a row whose key was made its name. */
export function rowName(sheet: Sheet, row: Pick<Row, "key" | "cells">): string {
  if (sheet.shape === "value") return sheet.columns.find((column) => column.name === row.key)?.title ?? row.key;
  return sheet.made ? nameOf(row) : row.key;
}

/** The name of a row; an announcement is called by its words. */
export function nameOf(row: Pick<Row, "key" | "cells">): string {
  return row.cells["name"] || row.cells["text"] || row.key;
}

/** What stands in a row before anybody typed. */
export function blank(sheet: Sheet): Record<string, string> {
  return Object.fromEntries(sheet.columns.slice(1).map((column) => [column.name, column.empty || column.choices[0] || ""]));
}

/** Rows in which every word of the search stands somewhere. */
export function matching(rows: readonly Row[], sheet: Sheet, text: string): Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [...rows];
  return rows.filter((row) => {
    const all = [row.key, rowName(sheet, row), ...Object.values(row.cells), ...Object.values(row.words)].join("\n").toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** Only the cells that differ: a row that somebody else changes elsewhere meanwhile is theirs there. */
export function changed(before: Record<string, string>, after: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(after).filter(([name, text]) => text !== before[name]));
}

/** Faults of the whole table that the edit brings with it, beside those of its own row. */
export function brought(now: readonly Fault[], before: readonly Fault[]): Fault[] {
  const known = new Set(before.map((fault) => `${fault.rule} ${fault.told}`));
  return now.filter((fault) => !known.has(`${fault.rule} ${fault.told}`));
}
