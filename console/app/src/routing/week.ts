/** A week's opening hours as spans of minutes that can be drawn and wiped, from and to the periods of a schedule's row. Pure. */

export const DAY = 24 * 60; // minutes

/** As a row of the routing table has it; an end at or before the start goes on past midnight. */
export interface Period {
  days: number[];
  start: string;
  end: string;
}

/** [from, to) in minutes since midnight; those of a day in order, none touching another. */
export type Span = readonly [number, number];
/** Monday first. */
export type Week = readonly (readonly Span[])[];

const of = (week: Week, day: number): readonly Span[] => week[(day + 7) % 7] ?? [];

export const DAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"] as const;

export const minutes = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
export const clock = (at: number): string => `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;

function joined(spans: readonly Span[]): Span[] {
  const told: [number, number][] = [];
  for (const [from, to] of spans.filter(([a, b]) => a < b).toSorted((one, other) => one[0] - other[0])) {
    const last = told.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else told.push([from, to]);
  }
  return told;
}

/** What is open on each day of a plain week; the part past midnight is the next day's. */
export function weekOf(periods: readonly Period[]): Week {
  const days: Span[][] = Array.from({ length: 7 }, () => []);
  for (const { days: on, start, end } of periods) {
    const [from, to] = [minutes(start), minutes(end)];
    for (const day of on) {
      days[day - 1]?.push([from, to > from ? to : DAY]);
      if (to <= from) days[day % 7]?.push([0, to]);
    }
  }
  return days.map(joined);
}

/** The same hours as periods, with as few rows as people would write. */
export function periodsOf(week: Week): Period[] {
  const made = new Map<string, Period>();
  const put = (day: number, from: number, to: number): void => {
    const [start, end] = [clock(from), clock(to % DAY)];
    const one = made.get(`${start}${end}`) ?? { days: [], start, end };
    made.set(`${start}${end}`, { ...one, days: [...one.days, day + 1].sort((a, b) => a - b) });
  };
  /** What runs to midnight and goes on in the morning, for less than a day in all, is one period. */
  const goesOn = (day: number): number => {
    const [last, first] = [of(week, day).at(-1), of(week, day + 1)[0]];
    return last && first && last[1] === DAY && last[0] > 0 && first[0] === 0 && first[1] <= last[0] ? first[1] : 0;
  };
  week.forEach((spans, day) => {
    const before = goesOn(day - 1);
    for (const [from, to] of spans) {
      if (from === 0 && before) {
        if (to > before) put(day, before, to);
      } else put(day, from, to === DAY ? DAY + goesOn(day) : to);
    }
  });
  return [...made.values()].sort((one, other) => (one.days[0] ?? 0) - (other.days[0] ?? 0) || one.start.localeCompare(other.start));
}

/** Open, or closed, from one moment of a day to another. */
export function painted(week: Week, day: number, from: number, to: number, open: boolean): Week {
  return week.map((spans, at) => {
    if (at !== day) return spans;
    if (open) return joined([...spans, [from, to]]);
    return joined(spans.flatMap(([a, b]): Span[] => [[a, Math.min(b, from)], [Math.max(a, to), b]]));
  });
}

export const isOpen = (week: Week, day: number, at: number): boolean => of(week, day).some(([from, to]) => from <= at && at < to);

const told = (spans: readonly Span[]): string => spans.map(([from, to]) => `${clock(from)} 到 ${clock(to)}`).join("、") || "不开";

/** For who listens to the page, or reads; days alike in a row are told at once. */
export function inWords(week: Week): string {
  const runs: { first: number; last: number; words: string }[] = [];
  week.forEach((spans, day) => {
    const [words, run] = [told(spans), runs.at(-1)];
    if (run?.words === words) run.last = day;
    else runs.push({ first: day, last: day, words });
  });
  return runs.map(({ first, last, words }) => `${DAYS[first]}${first === last ? "" : `至${DAYS[last]}`} ${words}`).join("；");
}
