import { expect, test } from "vitest";
import { lanes, ticks } from "./bars";
import type { Bar } from "./model";

const bar = (lane: string, since: number, until: number | null): Bar => ({
  lane, who: lane, phase: "talking", text: "通话", since, until,
});

test("bars lie where they were, each party in its lane", () => {
  const drawn = lanes({ seconds: 200, recorded_at: null, marks: [], bars: [bar("caller", 0, 200), bar("agent 1", 50, 100), bar("caller", 200, 200)] });
  expect(drawn.map((lane) => [lane.lane, lane.bars.map((one) => [one.left, one.width])])).toEqual([
    ["caller", [[0, 100], [99.6, 0.4]]],
    ["agent 1", [[25, 25]]],
  ]);
});

test("what goes on reaches to the end", () => {
  expect(lanes({ seconds: 10, recorded_at: null, marks: [], bars: [bar("caller", 5, null)] })[0]?.bars[0]?.seconds).toBe(5);
});

test("a line has a handful of marks whatever its length", () => {
  expect(ticks(6)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  for (const seconds of [0, 1, 59, 600, 3600, 90_000]) expect(ticks(seconds).length).toBeLessThanOrEqual(9);
});
