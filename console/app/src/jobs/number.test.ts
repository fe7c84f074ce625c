import { expect, test } from "vitest";
import type { Row } from "@/routing/model";
import { editsOf, missing, type NewNumber } from "./number";

const wanted: NewNumber = {
  number: "12388", name: "纪检", mode: "dual", first: "2026-12-01", last: "2027-11-30", group: "", groupName: "纪检", agents: ["1002"],
  trunk: "", schedule: "", scheduleName: "纪检上班时间", week: [[[510, 720]], [], [], [], [], [], []],
};
const agent: Row = { kind: "agents", key: "1002", cells: {}, words: {}, fields: { groups: ["general"] }, revision: 1, changed_at: "", changed_by: "" };

test("a new number brings its group, its hours and its agents along", () => {
  const edits = editsOf(wanted, { group: "jijian", schedule: "jijian-hours" }, [agent]);
  expect(edits.map((one) => `${one.kind} ${one.key}`)).toEqual(["groups jijian", "schedules jijian-hours", "agents 1002", "numbers 12388"]);
  expect(edits[2]?.fields).toEqual({ groups: ["general", "jijian"] });
  expect(edits[3]?.fields).toMatchObject({ mode: "dual", group: "jijian", schedule: "jijian-hours", prompt: "legacy-12388-during" });
});

test("an existing group and no hours are taken as they are", () => {
  const edits = editsOf({ ...wanted, mode: "full", group: "general", agents: [] }, { group: "", schedule: "" }, []);
  expect(edits).toHaveLength(1);
  expect(edits[0]?.fields).toMatchObject({ group: "general", schedule: "" });
});

test("what is missing is told in words", () => {
  expect(missing(wanted)).toEqual([]);
  expect(missing({ ...wanted, number: "", agents: [], last: "2026-01-01" })).toHaveLength(3);
});
