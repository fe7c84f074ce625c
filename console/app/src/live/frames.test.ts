import { describe, expect, it } from "vitest";
import { applied, pause, type Frame } from "./frames";

describe("rows follow frames", () => {
  const rows = { a: { n: 1 }, b: { n: 2 } };

  it("takes a whole picture for what was there before", () => {
    expect(applied(rows, { topic: "calls", at: 1, whole: { c: { n: 3 } } })).toEqual({ c: { n: 3 } });
  });

  it("sets what changed, drops what is gone, keeps the rest", () => {
    const frame: Frame = { topic: "calls", at: 1, set: { b: { n: 5 }, c: { n: 3 } }, gone: ["a"] };
    expect(applied(rows, frame)).toEqual({ b: { n: 5 }, c: { n: 3 } });
    expect(rows).toEqual({ a: { n: 1 }, b: { n: 2 } });
  });

  it("leaves them alone at a pulse", () => {
    expect(applied(rows, { topic: "pulse", at: 1 })).toBe(rows);
  });
});

describe("tries to come back", () => {
  it("wait longer each time, and never longer than 8 s", () => {
    expect([0, 1, 2, 3, 4, 5, 60].map((tries) => pause(tries, 0))).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  it("are spread, so that three hundred desks do not come at once", () => {
    expect(pause(4, 1)).toBe(4000);
  });
});
