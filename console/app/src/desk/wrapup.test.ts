import { expect, it } from "vitest";
import { choices, type Code } from "./wrapup";

function code(id: string, ...groups: string[]): Code {
  return { id, key: "1", name: id, groups, note: "" };
}

it("offers the codes of all groups and those of the call's own", () => {
  const all = [code("answered"), code("price", "market"), code("water", "transport", "market"), code("house", "housing-fund")];
  expect(choices(all, "market").map((one) => one.id)).toEqual(["answered", "price", "water"]);
  expect(choices(all, undefined).map((one) => one.id)).toEqual(["answered"]);
});
