/** A report's picture: calls that were answered and that were not, along its lines. Pure. */

import type { EChartsCoreOption } from "echarts/core";
import type { Report } from "./model";

const ANSWERED = "#4c8bf5";
const LOST = "#d1495b";
const MOST_BARS = 62;

/** Nothing for a report of one line, or of none. */
export function reportOption(report: Report): EChartsCoreOption | null {
  const lines = report.lines.slice(0, MOST_BARS);
  if (lines.length < 2) return null;
  return {
    animation: false,
    textStyle: { fontFamily: "inherit", color: "#1f2328" },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true },
    legend: { top: 0 },
    grid: { left: 48, right: 24, top: 36, bottom: 28 },
    xAxis: { type: "category", data: lines.map((line) => line.name) },
    yAxis: { type: "value", name: "来电", minInterval: 1 },
    series: [
      { name: "接通", type: "bar", stack: "calls", color: ANSWERED, data: lines.map((line) => line.answered) },
      {
        name: "未接通", type: "bar", stack: "calls", color: LOST, data: lines.map((line) => line.calls - line.answered),
        itemStyle: { decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 3], rotation: 0.8 } },
      },
    ],
  };
}
