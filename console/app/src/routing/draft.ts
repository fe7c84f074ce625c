/** The draft of the routing table on this page: rows by kind, faults, and saving without losing what others typed. */

import { defineStore } from "pinia";
import { computed, reactive, ref, shallowRef } from "vue";
import { get, post } from "@/api/http";
import type { Change, Edit, Fault, Row, Sheet } from "./model";

const PAGE = 1000; // rows in one answer, as many as the engine gives

/** A key that may be referred to, with its name. */
export interface Named {
  key: string;
  name: string;
}

/** Numbers and 工号 are said themselves: they stand before the name. */
function called(kind: string, row: Row): string {
  const name = row.cells["name"] || row.cells["text"] || "";
  return ["numbers", "agents"].includes(kind) && name ? `${row.key} ${name}` : name;
}

interface Page {
  revision: number;
  rows: Row[];
}

export const useDraft = defineStore("draft", () => {
  const sheets = shallowRef<Sheet[]>([]);
  const rows = reactive(new Map<string, Row[]>());
  /** The draft's revision as the rows of a kind were read. */
  const seen = new Map<string, number>();
  const faults = shallowRef<Fault[]>([]);
  const changes = shallowRef<Change[]>([]);
  const version = ref(0);

  const errors = computed(() => faults.value.filter((fault) => fault.severity === "error"));
  const warnings = computed(() => faults.value.filter((fault) => fault.severity === "warning"));

  async function open(): Promise<void> {
    if (!sheets.value.length) sheets.value = (await get<{ sheets: Sheet[] }>("/api/routing/forms")).sheets;
    await judge();
  }

  /** Rows of a kind, all of them; read anew. */
  async function load(kind: string): Promise<void> {
    const found: Row[] = [];
    let after = "";
    let page: Page;
    do {
      page = await get<Page>("/api/routing/draft", { kind, after, limit: PAGE });
      if (!after) seen.set(kind, page.revision);
      found.push(...page.rows);
      after = found.at(-1)?.key ?? "";
    } while (page.rows.length === PAGE);
    rows.set(kind, found);
  }

  /** Keys that may be referred to, with what they are called. */
  async function named(kind: string): Promise<Named[]> {
    if (kind === "prompts") return promptsNamed();
    if (!rows.has(kind)) await load(kind);
    return (rows.get(kind) ?? []).map((row) => ({ key: row.key, name: called(kind, row) }));
  }

  /** What the product and the table have to say: what it is for where it is used, else its words. */
  async function promptsNamed(): Promise<Named[]> {
    const [{ rows: all }, { names }] = await Promise.all([
      get<{ rows: { id: string; text: string; language: string }[] }>("/api/prompts"),
      get<{ names: Record<string, Record<string, string>> }>("/api/routing/names"),
    ]);
    const known = names["prompts"] ?? {};
    const texts = new Map(all.filter((one) => one.language === "zh-CN").map((one) => [one.id, one.text]));
    return [...new Set([...texts.keys(), ...Object.keys(known)])].map((key) => ({ key, name: known[key] ?? `“${texts.get(key) ?? ""}”` }));
  }

  /** A key for a new row of this name. */
  async function newKey(kind: string, name: string): Promise<string> {
    return (await get<{ key: string }>("/api/routing/new-key", { kind, name })).key;
  }

  /** What the engine says of the draft, and how it differs from what is in force. */
  async function judge(): Promise<void> {
    const [lint, diff] = await Promise.all([
      get<{ faults: Fault[] }>("/api/routing/lint"),
      get<{ version: number; changes: Change[] }>("/api/routing/diff"),
    ]);
    faults.value = lint.faults;
    changes.value = diff.changes;
    version.value = diff.version;
  }

  /** The lint of the draft as these edits would leave it. Nothing is saved. */
  async function tried(edits: Edit[]): Promise<Fault[]> {
    return (await post<{ faults: Fault[] }>("/api/routing/lint", { edits })).faults;
  }

  /** Saves; a row that somebody else changed meanwhile is refused with both sides' values. */
  async function save(edit: Edit, reason = ""): Promise<void> {
    const known = rows.get(edit.kind)?.find((row) => row.key === edit.key);
    const at = edit.seen ?? Math.max(seen.get(edit.kind) ?? 0, known?.revision ?? 0);
    await post("/api/routing/draft", { edits: [{ ...edit, seen: at }], reason });
    await Promise.all([load(edit.kind), judge()]);
  }

  /** Several rows at once, all or none. */
  async function saveAll(edits: readonly Edit[], reason: string): Promise<void> {
    await post("/api/routing/draft", { edits, reason });
    await Promise.all([...[...new Set(edits.map((one) => one.kind))].map(load), judge()]);
  }

  /** Everything anew: after a discard, an import, a publish. */
  async function reload(): Promise<void> {
    await Promise.all([...[...rows.keys()].map(load), judge()]);
  }

  return { sheets, rows, faults, errors, warnings, changes, version, open, load, named, newKey, judge, tried, save, saveAll, reload };
});
