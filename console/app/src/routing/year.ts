/** A year's days by month and week, written as the table writes them (2026-10-01). Pure. */

const TWO = (value: number): string => String(value).padStart(2, "0");
const written = (at: Date): string => `${at.getUTCFullYear()}-${TWO(at.getUTCMonth() + 1)}-${TWO(at.getUTCDate())}`;
const read = (day: string): Date => new Date(`${day}T00:00:00Z`);

/** The day on this machine's clock. */
export const dayOf = (now: Date): string => `${now.getFullYear()}-${TWO(now.getMonth() + 1)}-${TWO(now.getDate())}`;

/** 1 is Monday, 7 is Sunday. */
export const weekday = (day: string): number => read(day).getUTCDay() || 7;

/** Twelve months of weeks of seven places; an empty place belongs to another month. */
export function months(year: number): string[][][] {
  return Array.from({ length: 12 }, (_, month) => {
    const first = new Date(Date.UTC(year, month, 1));
    const places: string[] = Array.from({ length: weekday(written(first)) - 1 }, () => "");
    for (const at = first; at.getUTCMonth() === month; at.setUTCDate(at.getUTCDate() + 1)) places.push(written(at));
    return Array.from({ length: Math.ceil(places.length / 7) }, (_, week) => places.slice(week * 7, week * 7 + 7));
  });
}

/** Where a key leads from a day; nothing for a key that leads nowhere. */
export function moved(day: string, key: string): string | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  const at = read(day);
  const step = steps[key];
  if (step !== undefined) at.setUTCDate(at.getUTCDate() + step);
  else if (key === "PageUp" || key === "PageDown") {
    const [on, by] = [at.getUTCDate(), key === "PageUp" ? -1 : 1];
    at.setUTCDate(1);
    at.setUTCMonth(at.getUTCMonth() + by);
    const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
    at.setUTCDate(Math.min(on, last));
  } else return null;
  return written(at);
}
