/** Our manuals' Markdown as plain blocks: headings, paragraphs, lists, tables, commands. Pure; no HTML is made of it. */

export type Part = { kind: "text" | "strong" | "code"; text: string };

export type Block =
  | { kind: "heading"; level: number; parts: Part[]; text: string }
  | { kind: "paragraph"; parts: Part[] }
  | { kind: "list"; ordered: boolean; items: Part[][] }
  | { kind: "table"; head: Part[][]; rows: Part[][][] }
  | { kind: "code"; text: string };

export interface Section {
  manual: string;
  title: string;
  blocks: Block[];
  /** All that it says, to be searched. */
  text: string;
}

const INLINE = /(\*\*[^*]+\*\*|`[^`]+`)/;

/** Links are told by their words, pictures are left out. */
export function partsOf(line: string): Part[] {
  const plain = line.replace(/!\[[^\]]*\]\([^)]*\)/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return plain.split(INLINE).filter(Boolean).map((text) => {
    if (text.startsWith("**") && text.length > 4) return { kind: "strong", text: unescaped(text.slice(2, -2)) };
    if (text.startsWith("`") && text.length > 2) return { kind: "code", text: text.slice(1, -1) };
    return { kind: "text", text: unescaped(text) };
  });
}

const unescaped = (text: string): string => text.replace(/\\([*_`|\\])/g, "$1");
export const wordsOf = (parts: readonly Part[]): string => parts.map((part) => part.text).join("");
const cellsOf = (line: string): Part[][] =>
  line.replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => partsOf(cell.trim()));

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const heading = /^(#+) (.*)$/.exec(line);
    if (heading) {
      const parts = partsOf(heading[2] ?? "");
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, parts, text: wordsOf(parts) });
    } else if (line.startsWith("```")) {
      const from = at + 1;
      for (at++; at < lines.length && !lines[at]?.startsWith("```"); at++);
      blocks.push({ kind: "code", text: lines.slice(from, at).join("\n") });
    } else if (line.startsWith("|")) {
      const from = at;
      while (lines[at + 1]?.startsWith("|")) at++;
      const [head = [], , ...rows] = lines.slice(from, at + 1).map(cellsOf);
      blocks.push({ kind: "table", head, rows });
    } else if (/^(- |\d+\. )/.test(line)) {
      const items: string[] = [];
      for (; at < lines.length && lines[at]?.trim(); at++) {
        const now = lines[at] ?? "";
        if (/^(- |\d+\. )/.test(now) || !items.length) items.push(now.replace(/^(- |\d+\. )/, ""));
        else items[items.length - 1] += now.trim();
      }
      blocks.push({ kind: "list", ordered: /^\d/.test(line), items: items.map(partsOf) });
    } else if (line.trim()) {
      const from = at;
      while (lines[at + 1]?.trim() && !/^(#|\||- |\d+\. |```)/.test(lines[at + 1] ?? "")) at++;
      const parts = partsOf(lines.slice(from, at + 1).join(""));
      if (wordsOf(parts).trim()) blocks.push({ kind: "paragraph", parts });
    }
  }
  return blocks;
}

/** A manual by its headings. */
export function sectionsOf(manual: string, markdown: string): Section[] {
  const sections: Section[] = [];
  for (const block of blocksOf(markdown)) {
    if (block.kind === "heading") sections.push({ manual, title: block.text, blocks: [], text: block.text });
    else if (sections.length) {
      const section = sections.at(-1) as Section;
      section.blocks.push(block);
      section.text += `\n${saidBy(block)}`;
    }
  }
  return sections.filter((section) => section.blocks.length);
}

function saidBy(block: Block): string {
  switch (block.kind) {
    case "list": return block.items.map(wordsOf).join("\n");
    case "table": return [block.head, ...block.rows].flat().map(wordsOf).join("\n");
    case "code": return block.text;
    default: return wordsOf(block.parts);
  }
}

/** Sections in which every word stands; those that have it in their title first. */
export function found(sections: readonly Section[], typed: string): Section[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [...sections];
  const fits = sections.filter((one) => words.every((word) => one.text.toLowerCase().includes(word)));
  const inTitle = (one: Section): boolean => words.every((word) => one.title.toLowerCase().includes(word));
  return [...fits.filter(inTitle), ...fits.filter((one) => !inTitle(one))];
}
