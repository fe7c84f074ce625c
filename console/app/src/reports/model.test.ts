import { expect, test } from "vitest";
import { callsOf, change, lastMonth, usual, written, type Line, type Report } from "./model";

const NIGHT = Date.UTC(2026, 10, 29, 17); // 01:00 on Monday the 30th in the city

test("periods go by the city's day and begin on Monday", () => {
  const spans = Object.fromEntries(usual(NIGHT));
  expect(spans["今天"]).toEqual(["2026-11-30", "2026-11-30"]);
  expect(spans["昨天"]).toEqual(["2026-11-29", "2026-11-29"]);
  expect(spans["本周"]).toEqual(["2026-11-30", "2026-11-30"]);
  expect(spans["上周"]).toEqual(["2026-11-23", "2026-11-29"]);
  expect(spans["本月"]).toEqual(["2026-11-01", "2026-11-30"]);
  expect(spans["上个月"]).toEqual(["2026-10-01", "2026-10-31"]);
});

test("the month before January is December", () => {
  expect(lastMonth("2026-01-15")).toEqual(["2025-12-01", "2025-12-31"]);
  expect(lastMonth("2024-03-01")).toEqual(["2024-02-01", "2024-02-29"]);
});

test("values are written by their form", () => {
  expect([written(1234, "count"), written(0.956, "share"), written(8.26, "seconds"), written(null, "share")]).toEqual([
    "1,234", "95.6%", "8.3", "—",
  ]);
  expect(change(0.95, 0.9, "share")).toBe("+5.0 个百分点");
  expect(change(90, 100, "count")).toBe("−10");
  expect(change(1, null, "count")).toBe("");
});

const line = (key: string): Line => ({ key, name: key, calls: 1, answered: 1, abandoned: 0, short_abandoned: 0, values: [] });
const report = (by: Report["by"]): Report =>
  ({ by, since: "2026-11-01T00:00:00+08:00", until: "2026-12-01T00:00:00+08:00" }) as Report;

test("a line opens the calls behind it", () => {
  expect(callsOf(report("number"), line("12315"), "unanswered")).toEqual({
    since: "2026-11-01T00:00:00", until: "2026-12-01T00:00:00", number: "12315", outcome: "unanswered",
  });
  expect(callsOf(report("day"), line("2026-11-30"))).toEqual({ since: "2026-11-30T00:00:00", until: "2026-12-01T00:00:00" });
  expect(callsOf(report("half-hour"), line("08:30"))).toBeNull();
  expect(callsOf(report("half-hour"), line(""))).toEqual({ since: "2026-11-01T00:00:00", until: "2026-12-01T00:00:00" });
});
