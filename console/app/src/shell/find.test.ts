import { expect, test } from "vitest";
import { matching, type Found } from "./find";

const all: Found[] = [
  { kind: "页面", name: "路由表", more: "", to: { path: "/routing" } },
  { kind: "技能组", name: "社会保障", more: "social-security", to: { path: "/routing" } },
  { kind: "归并号码", name: "12333 人社", more: "", to: { path: "/routing" } },
  { kind: "用户", name: "人社班长", more: "lisi", to: { path: "/users" } },
];

test("nothing typed shows the pages", () => {
  expect(matching(all, " ").map((one) => one.name)).toEqual(["路由表"]);
});

test("every word must stand somewhere, and a name that begins so comes first", () => {
  expect(matching(all, "人社").map((one) => one.name)).toEqual(["人社班长", "12333 人社"]);
  expect(matching(all, "用户 lisi").map((one) => one.name)).toEqual(["人社班长"]);
  expect(matching(all, "没有")).toEqual([]);
});
