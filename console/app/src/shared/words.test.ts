import { expect, it } from "vitest";
import { clock, duration, moment, percent } from "./words";

it.each([
  [0, "0:00"],
  [-5000, "0:00"],
  [59_999, "0:59"],
  [187_000, "3:07"],
  [3_723_000, "1:02:03"],
])("shows %i ms as %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});

it("shows times of China, whatever the machine is set to", () => {
  const ms = Date.parse("2026-10-10T14:03:07+08:00");
  expect(clock(ms)).toBe("14:03:07");
  expect(moment(ms)).toBe("2026-10-10 14:03:07");
});

it("shows a share, and a dash where there is none", () => {
  expect(percent(0.95)).toBe("95.0%");
  expect(percent(null)).toBe("—");
});
