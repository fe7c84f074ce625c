/** Times and durations as people here read them. Pure. */

/** `3:07`, `1:02:03`; never negative. */
export function duration(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit",
});

/** `14:03:07`, in China's time whatever this machine is set to. */
export function clock(ms: number): string {
  return CLOCK.format(ms);
}

/** `2026-10-10 14:03:07`: the one way that a moment is written. */
export function moment(ms: number): string {
  return `${DAY.format(ms)} ${CLOCK.format(ms)}`;
}

/** `95.0%`, or a dash where there is nothing to divide. */
export function percent(part: number | null | undefined): string {
  return part === null || part === undefined ? "—" : `${(part * 100).toFixed(1)}%`;
}
