import { expect, it } from "vitest";
import { moved, months, weekday } from "./year";

it("lays every day of a year at its weekday, once", () => {
  const told = months(2028);
  const days = told.flat(2).filter(Boolean);
  expect(days).toHaveLength(366);
  expect(new Set(days).size).toBe(366);
  for (const weeks of told)
    for (const week of weeks) week.forEach((day, place) => day && expect(weekday(day)).toBe(place + 1));
});

it.each([
  ["2026-12-31", "ArrowRight", "2027-01-01"],
  ["2026-01-01", "ArrowUp", "2025-12-25"],
  ["2026-01-31", "PageDown", "2026-02-28"],
  ["2026-03-31", "PageUp", "2026-02-28"],
  ["2026-03-31", "x", null],
])("%s and %s lead to %s", (day, key, to) => expect(moved(day, key)).toBe(to));
