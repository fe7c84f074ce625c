/** What a search over everything finds: pages, rows of the routing table, people. Pure. */

export interface Found {
  /** What kind of thing it is, in words. */
  kind: string;
  name: string;
  /** Told beside the name, and searched. */
  more: string;
  to: { path: string; query?: Record<string, string> };
}

const MOST = 20;

/** Those in which every word stands, names before the rest; a number that is typed may also be looked for in past calls. */
export function matching(all: readonly Found[], typed: string): Found[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return all.filter((one) => one.kind === "页面").slice(0, MOST);
  const scored = all.flatMap((one) => {
    const name = one.name.toLowerCase();
    const text = `${name}\n${one.more}\n${one.kind}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const [first = ""] = words;
    return [{ one, score: name === first ? 0 : name.startsWith(first) ? 1 : name.includes(first) ? 2 : 3 }];
  });
  return scored.sort((a, b) => a.score - b.score).slice(0, MOST).map(({ one }) => one);
}
