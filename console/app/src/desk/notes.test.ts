import { describe, expect, it } from "vitest";
import { drop, kept, left, tidy } from "./notes";

function storage(of: Record<string, unknown>): Storage {
  const held: Record<string, unknown> = Object.fromEntries(Object.entries(of).map(([key, value]) => [key, JSON.stringify(value)]));
  const made = held as Record<string, unknown> & Storage;
  Object.defineProperty(made, "getItem", { value: (key: string) => held[key] ?? null });
  Object.defineProperty(made, "removeItem", { value: (key: string) => Reflect.deleteProperty(held, key) });
  return made;
}

describe("notes that are not saved", () => {
  const typed = { address: "东山路 1 号", summary: "水管爆裂", saved: false };

  it("are the user's alone", () => {
    const tab = storage({ "hotline.notes.lisi.c1": typed });
    expect(kept("lisi", "c1", tab)).toEqual(typed);
    expect(kept("wangwu", "c1", tab)).toBeNull();
    expect(left("wangwu", "", tab)).toEqual([]);
  });

  it("stay when another call comes, and are shown until they are dropped", () => {
    const tab = storage({ "hotline.notes.lisi.c1": typed, "hotline.notes.lisi.c2": { ...typed, saved: true } });
    tidy("lisi", "c3", tab);
    expect(left("lisi", "c3", tab)).toEqual([{ call: "c1", address: "东山路 1 号", summary: "水管爆裂" }]);
    expect(kept("lisi", "c2", tab)).toBeNull();
    drop("lisi", "c1", tab);
    expect(left("lisi", "c3", tab)).toEqual([]);
  });
});
