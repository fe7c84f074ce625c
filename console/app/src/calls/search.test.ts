import { expect, test } from "vitest";
import { callerFault, lastDays, linked, nothing, question } from "./search";

const NOON = Date.UTC(2026, 9, 10, 4); // 12:00 in Jieyang

test("a day begins at midnight on the city's clock", () => {
  expect(lastDays(0, NOON)).toEqual(["2026-10-10T00:00:00", "2026-10-11T00:00:00"]);
  expect(lastDays(6, Date.UTC(2026, 9, 9, 16))).toEqual(["2026-10-04T00:00:00", "2026-10-11T00:00:00"]);
  expect(lastDays(0, Date.UTC(2026, 9, 9, 15, 59))[0]).toBe("2026-10-09T00:00:00");
});

test("what is not filled in is not asked for", () => {
  expect(question({ ...nothing(NOON), time: null }, null)).toEqual({});
  expect(question({ ...nothing(NOON), caller: "138 0013-8000", ratings: [2, 1], transfer: "*" }, "x~y")).toEqual({
    since: "2026-10-04T00:00:00+08:00", until: "2026-10-11T00:00:00+08:00", caller: "13800138000", rating: "1,2",
    transfer: "*", before: "x~y",
  });
});

test("too few digits are told before anybody is asked", () => {
  expect(callerFault("800")).toContain("4 位");
  expect(callerFault("<b>8000")).toContain("4 位");
  expect(["", "8000", "+86 138 0013 8000"].map(callerFault)).toEqual(["", "", ""]);
});

test("a link says what to look for, and nothing else", () => {
  const wanted = linked({ since: "2026-11-01T00:00:00", until: "2026-12-01T00:00:00", number: "12315", outcome: "unanswered", caller: "1" }, NOON);
  expect(question(wanted, null)).toEqual({
    since: "2026-11-01T00:00:00+08:00", until: "2026-12-01T00:00:00+08:00", number: "12315", outcome: "unanswered",
  });
  expect(linked({ call: "x", outcome: "else" }, NOON)).toEqual(nothing(NOON));
});
