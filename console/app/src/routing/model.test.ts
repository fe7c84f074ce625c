import { expect, test } from "vitest";
import { blank, brought, changed, columnsOf, matching, rowName, type Column, type Fault, type Row, type Sheet } from "./model";

const column = (name: string, more: Partial<Column> = {}): Column => ({
  name, title: `${name}的名`, type: "text", hint: "", example: "", refers: "", needed: false, empty: "", choices: [], parts: [], ...more,
});
const numbers: Sheet = {
  kind: "numbers", title: "归并号码", hint: "", shape: "records", made: false,
  columns: [column("number"), column("name"), column("mode", { choices: ["整体并入", "双号并行"] }), column("seconds", { empty: "20" })],
};
const settings: Sheet = { ...numbers, kind: "settings", shape: "value", columns: [column("area_code")] };
const row = (key: string, cells: Record<string, string>): Row => ({ kind: "numbers", key, cells, words: cells, fields: {}, revision: 1, changed_at: "", changed_by: "" });
const fault = (told: string): Fault => ({ severity: "error", rule: "r", path: "", kind: "", row: "", field: "", told, reason: "" });

test("a setting's row has one column, called value", () => {
  expect(columnsOf(settings, "area_code").map((one) => one.name)).toEqual(["value"]);
  expect(rowName(settings, { key: "area_code", cells: {} })).toBe("area_code的名");
  expect(rowName({ ...numbers, made: true }, { key: "g-1", cells: { name: "社会保障" } })).toBe("社会保障");
  expect(columnsOf(numbers, "12315").map((one) => one.name)).toEqual(["name", "mode", "seconds"]);
});

test("a new row begins with what an empty cell stands for, and with the first choice", () => {
  expect(blank(numbers)).toEqual({ name: "", mode: "整体并入", seconds: "20" });
});

test("every word of a search must stand in the row", () => {
  const rows = [row("12315", { name: "市场监管" }), row("12333", { name: "人社" })];
  expect(matching(rows, numbers, "123 人社").map((one) => one.key)).toEqual(["12333"]);
  expect(matching(rows, numbers, " ").length).toBe(2);
});

test("only what was changed is sent, and only faults that came with it are told", () => {
  expect(changed({ a: "1", b: "2" }, { a: "1", b: "3" })).toEqual({ b: "3" });
  expect(brought([fault("x"), fault("y")], [fault("y")]).map((one) => one.told)).toEqual(["x"]);
});
