import { expect, it } from "vitest";
import type { AgentRow, CallRow, SeatState } from "@/live/rows";
import { chosen, line, shape, tone } from "./order";

const agent = (state: SeatState, since_ms: number, more: Partial<AgentRow> = {}): AgentRow => ({
  seat: "8001", state, words: "", since_ms, until_ms: null, pause: null, why: null, call: null, reachable: true, leaving: false,
  name: "", supervisor: false, groups: ["general"], site: "", ...more,
});
const call = (id: string, rank_ms: number, more: Partial<CallRow> = {}): CallRow => ({
  call: id, phase: "waiting", group: "general", priority: 0, since_ms: rank_ms, rank_ms, talk_since_ms: null, seat: null, agent: null, ...more,
});
const rows = {
  "1001": agent("ready", 5),
  "1002": agent("talking", 9, { name: "李四" }),
  "1003": agent("talking", 3, { groups: ["market"], seat: "8003" }),
  "1004": agent("not-responding", 9),
};
const ids = (...asked: [string, Parameters<typeof chosen>[2], string]): string[] => chosen(rows, ...asked).map((row) => row.id);

it("shows the most pressing first, then who has been so for longest", () => expect(ids("", "all", "")).toEqual(["1004", "1003", "1002", "1001"]));
it("filters by group, state and text", () => {
  expect(ids("market", "all", "")).toEqual(["1003"]);
  expect(ids("", "talk", "")).toEqual(["1003", "1002"]);
  expect(ids("", "all", "李")).toEqual(["1002"]);
  expect(ids("", "all", "8003")).toEqual(["1003"]);
});

it("shows who waits in the order of service", () => {
  const waiting = { a: call("a", 7), b: call("b", 3), c: call("c", 1, { phase: "talking" }), d: call("d", 5, { group: "market" }) };
  expect(line(waiting, "").map((row) => row.call)).toEqual(["b", "d", "a"]);
  expect(line(waiting, "market").map((row) => row.call)).toEqual(["d"]);
});

it("has a shape and a tone for every state", () => {
  expect([shape("ready"), tone("ready"), tone("hold"), tone("unreachable"), tone("paused")]).toEqual(["●", "free", "talk", "away", "rest"]);
});
