import { describe, expect, it } from "vitest";
import { clock, DAY, inWords, isOpen, minutes, painted, periodsOf, weekOf, type Period } from "./week";

const OFFICE: Period[] = [
  { days: [1, 2, 3, 4, 5], start: "08:30", end: "12:00" },
  { days: [1, 2, 3, 4, 5], start: "14:30", end: "17:30" },
];
const NIGHT: Period[] = [{ days: [1, 2, 3, 4, 5, 6, 7], start: "06:00", end: "01:00" }];
const ALWAYS: Period[] = [{ days: [1, 2, 3, 4, 5, 6, 7], start: "00:00", end: "00:00" }];
const SUNDAY_NIGHT: Period[] = [{ days: [7], start: "22:00", end: "02:00" }];
const EVENING: Period[] = [{ days: [6], start: "18:00", end: "00:00" }];

describe("periods drawn and written again", () => {
  it.each([[OFFICE], [NIGHT], [ALWAYS], [SUNDAY_NIGHT], [EVENING], [[]]])("%j stays as it is", (periods) => {
    expect(periodsOf(weekOf(periods))).toEqual(periods);
  });

  it("shows what goes past midnight on the next day", () => {
    expect(weekOf(SUNDAY_NIGHT)[6]).toEqual([[22 * 60, DAY]]);
    expect(weekOf(SUNDAY_NIGHT)[0]).toEqual([[0, 120]]);
  });

  it("keeps apart what would be longer than a day", () => {
    const long = painted(painted(weekOf([]), 0, 300, DAY, true), 1, 0, 600, true);
    expect(weekOf(periodsOf(long))).toEqual(long);
  });
});

describe("drawing", () => {
  it("joins what touches, cuts what is wiped, and leaves other days alone", () => {
    const drawn = painted(weekOf(OFFICE), 0, 720, 870, true);
    expect(drawn[0]).toEqual([[510, 1050]]);
    expect(drawn[1]).toEqual(weekOf(OFFICE)[1]);
    expect(painted(drawn, 0, 600, 660, false)[0]).toEqual([[510, 600], [660, 1050]]);
    expect(painted(drawn, 0, 0, DAY, false)[0]).toEqual([]);
  });

  it("groups days that are alike", () => {
    const lunch = [1, 2, 3, 4, 5].reduce((week, day) => painted(week, day - 1, 720, 870, true), weekOf(OFFICE));
    expect(periodsOf(lunch)).toEqual([{ days: [1, 2, 3, 4, 5], start: "08:30", end: "17:30" }]);
  });
});

it("tells clocks, moments and the week in words", () => {
  expect([minutes("08:30"), clock(510), clock(DAY)]).toEqual([510, "08:30", "24:00"]);
  expect([isOpen(weekOf(OFFICE), 0, 510), isOpen(weekOf(OFFICE), 0, 720)]).toEqual([true, false]);
  expect(inWords(weekOf(EVENING))).toContain("周六 18:00 到 24:00；周日 不开");
  expect(inWords(weekOf(OFFICE))).toBe("周一至周五 08:30 到 12:00、14:30 到 17:30；周六至周日 不开");
});
