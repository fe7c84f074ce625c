import { expect, it } from "vitest";
import type { RouteRow } from "@/live/rows";
import { CENTRES, health } from "./centres";

function line(target: string, place: number, up: boolean | null): RouteRow {
  return { target, kind: "emergency", name: target, place, up, since_ms: null, calls: 0 };
}

it("keeps the order of the emergency numbers", () => {
  expect(CENTRES.map((one) => one.number)).toEqual(["110", "119", "120", "122"]);
});

it.each([
  [[line("110", 0, true), line("110", 1, false)], "good"],
  [[line("110", 1, true), line("110", 0, false)], "warn"],
  [[line("110", 1, true), line("110", 0, null)], "warn"],
  [[line("110", 0, null), line("110", 1, false)], "unknown"],
  [[line("110", 0, false), line("110", 1, false)], "bad"],
  [[line("119", 0, true)], "bad"],
] as const)("tells how the lines are: %j", (rows, kind) => {
  expect(health(Object.fromEntries(rows.map((row, at) => [String(at), row])), "110").kind).toBe(kind);
});
