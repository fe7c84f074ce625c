import { describe, expect, it } from "vitest";
import { chosen, items, mark, type Callback, type Filter, type Message, type Order } from "./model";

const NOW = Date.parse("2026-11-23T10:00:00+08:00");
const at = (hours: number): string => new Date(NOW + hours * 3_600_000).toISOString();

const callback = (id: string, hours: number, more: Partial<Callback> = {}): Callback => ({
  id, number: "138****0001", line: "12333", group: "general", state: "waiting", words: "已约定", since_ms: NOW + hours * 3_600_000,
  promised_at: at(hours), attempts: 0, not_before: null, closed_at: null, agent: "", ...more,
});
const message = (id: string, due: number, more: Partial<Message> = {}): Message => ({
  id, caller: "", line: "12315", group: "market", holder: "", seconds: 4, taken_at: at(due - 24), due_at: at(due), closed_at: null,
  closed_by: "", note: "", ...more,
});
const order = (number: string, more: Partial<Order> = {}): Order => ({
  number, call: "c", type_name: "供水中断", place: "东山路", state: "dispatched", standing: "已派", by: "1001", raised_at: at(-1),
  due_at: at(0.1), finish_by: null, overdue: false, department: "water", department_name: "供水公司", acknowledged_at: null, over_at: null, attempts: 0, ...more,
});
const everything: Filter = { kind: "", shown: "open", place: "", age: 0 };
const all = items(
  [callback("old", -3), callback("done", -4, { closed_at: at(-1) })],
  [message("late", -1), message("today", 5), message("closed", -2, { closed_at: at(-1), closed_by: "1001", note: "已回电" })],
  [order("o1"), order("o2", { state: "unanswered", due_at: null, overdue: true })],
  NOW,
);

describe("the list of what was promised", () => {
  it("shows the overdue first, then what is due first, then the oldest callback", () => {
    expect(chosen(all, everything, NOW).map((one) => one.id)).toEqual(["late", "o2", "o1", "today", "old"]);
  });

  it("filters by kind, state, place and age", () => {
    const ids = (more: Partial<Filter>): string[] => chosen(all, { ...everything, ...more }, NOW).map((one) => one.id);
    expect(ids({ kind: "message" })).toEqual(["late", "today"]);
    expect(ids({ shown: "overdue" })).toEqual(["late", "o2"]);
    expect(ids({ shown: "over" })).toEqual(["done", "closed"]);
    expect(ids({ place: "market" })).toEqual(["late", "today"]);
    expect(ids({ age: 240 })).toEqual(["late", "today"]);
  });

  it("says by shape and word how each stands", () => {
    const marks = Object.fromEntries(all.map((one) => [one.id, mark(one, NOW)]));
    expect(marks["late"]).toEqual({ shape: "■", words: "已超时", tone: "bad" });
    expect(marks["o2"]).toEqual({ shape: "■", words: "无人签收", tone: "bad" });
    expect(marks["o1"]).toEqual({ shape: "▲", words: "快到时限", tone: "soon" });
    expect(marks["old"]?.shape).toBe("●");
    expect(marks["done"]?.shape).toBe("○");
  });

  it("takes a message for overdue when its time passes, without being told", () => {
    const later = items([], [message("today", 5)], [], NOW + 6 * 3_600_000);
    expect(later[0]?.overdue).toBe(true);
  });
});
