/** What the charts show, from what the engine tells. Pure. */

import type { EChartsCoreOption } from "echarts/core";
import { clock } from "@/shared/words";

export interface HalfHour {
  start_ms: number;
  calls: number;
  answered: number;
  abandoned: number;
  in_time_from_ring: number | null;
  in_time_from_prompt: number | null;
  connection_rate: number | null;
  speed_of_answer: number | null;
  talk_seconds: number | null;
}

export interface Seats {
  seats: number;
  wait_share: number;
  service_level: number;
  answer_seconds: number | null;
  abandon_share: number;
  occupancy: number;
}

const INK = "#1f2328";
const QUIET = "#57606a";
const ANSWERED = "#4c8bf5";
const ABANDONED = "#d1495b";
const LEVEL = "#1a7f37";
const WAIT = "#9a6700";

/** Text, not HTML: the page's policy allows no styles in the markup. */
const TOOLTIP = { trigger: "axis", renderMode: "richText", confine: true } as const;
const BASE = { animation: false, textStyle: { fontFamily: "inherit", color: INK } } as const;

const hundred = (share: number | null): number | null => (share === null ? null : Math.round(share * 1000) / 10);
const aim = (percent: number): object => ({
  silent: true,
  symbol: "none",
  lineStyle: { color: LEVEL, type: "dashed" },
  label: { formatter: `目标 ${percent}%`, position: "insideStartTop", color: QUIET },
  data: [{ yAxis: percent }],
});

/** Calls answered and abandoned, the share answered in time, and the mean wait. */
export function dayOption(rows: readonly HalfHour[], seconds: number, percent: number): EChartsCoreOption {
  return {
    ...BASE,
    tooltip: TOOLTIP,
    legend: { top: 0 },
    grid: { left: 48, right: 108, top: 36, bottom: 28 },
    xAxis: { type: "category", data: rows.map((row) => clock(row.start_ms).slice(0, 5)) },
    yAxis: [
      { type: "value", name: "来电", minInterval: 1 },
      { type: "value", name: "%", min: 0, max: 100, splitLine: { show: false } },
      { type: "value", name: "秒", offset: 48, splitLine: { show: false } },
    ],
    series: [
      { name: "接通", type: "bar", stack: "calls", color: ANSWERED, data: rows.map((row) => row.answered) },
      {
        name: "放弃", type: "bar", stack: "calls", color: ABANDONED, data: rows.map((row) => row.abandoned),
        itemStyle: { decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 3], rotation: 0.8 } },
      },
      {
        name: `${seconds} 秒接听率`, type: "line", yAxisIndex: 1, color: LEVEL, connectNulls: false,
        data: rows.map((row) => hundred(row.in_time_from_ring)), markLine: aim(percent),
      },
      {
        name: "平均等待", type: "line", yAxisIndex: 2, color: WAIT, lineStyle: { type: "dotted" }, symbol: "triangle",
        data: rows.map((row) => row.speed_of_answer),
      },
    ],
  };
}

/** What so many seats would do. */
export function seatsOption(rows: readonly Seats[], seconds: number, percent: number, chosen: number): EChartsCoreOption {
  return {
    ...BASE,
    tooltip: TOOLTIP,
    legend: { top: 0 },
    grid: { left: 48, right: 24, top: 36, bottom: 40 },
    xAxis: { type: "category", name: "座席", nameLocation: "middle", nameGap: 26, data: rows.map((row) => row.seats) },
    yAxis: { type: "value", name: "%", min: 0, max: 100 },
    series: [
      {
        name: `${seconds} 秒接听率`, type: "line", color: LEVEL, data: rows.map((row) => hundred(row.service_level)),
        markLine: { ...aim(percent), data: [{ yAxis: percent }, { xAxis: String(chosen), label: { formatter: `${chosen} 席` } }] },
      },
      { name: "占用率", type: "line", color: WAIT, lineStyle: { type: "dashed" }, symbol: "triangle", data: rows.map((row) => hundred(row.occupancy)) },
    ],
  };
}

/** What the last full half-hours say of a floor, as a start for the question: calls an hour, and seconds of talk. */
export function typical(rows: readonly HalfHour[]): { calls: number; talk: number } {
  const busiest = [...rows].sort((one, other) => other.calls - one.calls)[0];
  const talks = rows.filter((row) => row.talk_seconds !== null);
  const answered = talks.reduce((sum, row) => sum + row.answered, 0);
  const talk = talks.reduce((sum, row) => sum + (row.talk_seconds ?? 0) * row.answered, 0);
  return { calls: busiest?.calls ? busiest.calls * 2 : 60, talk: answered ? Math.max(1, Math.round(talk / answered)) : 180 };
}
