import { expect, it } from "vitest";
import { centres, daysOf, dots, monthAfter, monthOf, told, took, type Drill, type Report } from "./model";

const drill = (target: string, at: string, success: boolean): Drill => ({
  drill: at, target, at, seat: "8001", agent: "1001", by: "", success, ended: true, trunk: "", backup_used: false,
  key_to_invite_ms: null, invite_to_answer_ms: null, heard: null, failures: [],
});
const line = (target: string): Report["trunks"][number] => ({
  target, trunk: `drill-${target}`, tries: 0, reached: 0, failed: 0, last_at: null, last_missed: "", key_to_invite_ms: null,
  invite_to_answer_ms: null,
});
const report: Report = {
  month: "2026-11", missing: ["119", "120", "122"], trunks: [line("110"), line("119"), line("120")],
  drills: [
    drill("110", "2026-11-02T17:30:00+00:00", true), drill("110", "2026-11-03T01:00:00+00:00", false),
    drill("119", "2026-11-20T01:00:00+00:00", false),
  ],
};

it("says of each centre how the month stands", () => {
  expect(centres(report).map((one) => [one.target, one.standing, one.reached, one.tries])).toEqual([
    ["110", "done", 1, 2], ["119", "missing", 0, 1], ["120", "missing", 0, 0], ["122", "impossible", 0, 0],
  ]);
});

it("draws drills on China's days", () => {
  expect(dots(report)).toEqual([{ target: "110", day: 3, good: 1, bad: 1 }, { target: "119", day: 20, good: 0, bad: 1 }]);
  expect(told(report)).toContain("110 演练 2 次，接通 1 次");
  expect(told(report)).toContain("122 没有演练");
});

it("goes from month to month", () => {
  expect(monthAfter("2026-12", 1)).toBe("2027-01");
  expect(monthAfter("2026-01", -1)).toBe("2025-12");
  expect(monthOf(Date.parse("2026-10-31T17:00:00+00:00"))).toBe("2026-11");
  expect([daysOf("2026-11"), daysOf("2028-02")]).toEqual([30, 29]);
});

it.each([[812, "812 毫秒"], [1260, "1.3 秒"], [null, "—"]])("tells %s ms as %s", (ms, words) => {
  expect(took(ms)).toBe(words);
});
