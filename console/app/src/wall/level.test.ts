import { expect, it } from "vitest";
import type { GroupRow } from "@/live/rows";
import { abandonedShare, atWork, ofDuty, ofReady, ofShare, ofWait, ofWaiting } from "./level";

const row = (waiting: number, states: GroupRow["states"]): GroupRow => ({
  waiting, states, ringing: 0, talking: 0, oldest_since_ms: null, closed: false,
  agents: Object.values(states).reduce((sum, some) => sum + some, 0),
});

it.each([
  [0.96, "good"],
  [0.95, "good"],
  [0.93, "warn"],
  [0.89, "bad"],
  [null, "none"],
])("takes a share of %s against 95 %% for %s", (share, level) => expect(ofShare(share, 95)).toBe(level));

it.each([
  [null, "good"],
  [15_000, "good"],
  [15_001, "warn"],
  [60_001, "bad"],
])("takes a wait of %s ms against 15 s for %s", (ms, level) => expect(ofWait(ms, 15)).toBe(level));

it("finds it worst when more wait than can answer", () => {
  expect(ofWaiting(row(0, {}))).toBe("good");
  expect(ofWaiting(row(1, { talking: 1 }))).toBe("warn");
  expect(ofWaiting(row(1, { paused: 3 }))).toBe("bad");
});

it("finds it worst when somebody waits and nobody is free", () => {
  expect(ofReady(row(0, { ready: 1 }))).toBe("good");
  expect(ofReady(row(0, { talking: 1 }))).toBe("warn");
  expect(ofReady(row(2, { talking: 1 }))).toBe("bad");
  expect(ofReady(row(0, {}))).toBe("none");
});

it("looks at a group for which nobody is at work, although nobody waits", () => {
  expect(ofDuty(row(0, {}))).toBe("warn");
  expect(ofDuty(row(0, { paused: 2, unreachable: 1 }))).toBe("warn");
  expect(ofDuty(row(0, { talking: 1 }))).toBe("good");
  expect(ofDuty({ ...row(0, {}), closed: true })).toBe("none");
});

it("counts who takes calls or has one", () => expect(atWork(row(0, { ready: 2, hold: 1, paused: 4, unreachable: 1 }))).toBe(3));

it("has no share of nothing", () => expect(abandonedShare(undefined)).toBeNull());
