import { describe, expect, it } from "vitest";
import { levelsOf, levelText, moved, overflowsOf, overflowText, partsOf, partsText } from "./cells";

describe("cells that hold several things", () => {
  it("reads and writes overflow rows", () => {
    const text = "waited:60:group:general、nobody:0:callback、length:5:duty-phone:06630000000/13800000000";
    expect(overflowsOf(text)[2]).toEqual({ when: "length", value: 5, to: "duty-phone", target: "06630000000/13800000000" });
    expect(overflowText(overflowsOf(text))).toBe(text);
    expect(overflowText([{ when: "waited", value: 30, to: "everyone", target: "general" }])).toBe("waited:30:everyone");
  });

  it("reads and writes levels", () => {
    expect(levelText(levelsOf("teochew:1、hakka:2"))).toBe("teochew:1、hakka:2");
    expect(levelText([{ key: "", level: 1 }])).toBe("");
  });

  it("reads and writes parts, an empty one too", () => {
    const text = "线路:pstn、班表:、最多次数:3";
    expect(partsText(["线路", "班表", "最多次数"], partsOf(text))).toBe(text);
  });

  it("moves within the list", () => {
    expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  });
});
