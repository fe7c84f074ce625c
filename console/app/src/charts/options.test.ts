import { expect, it } from "vitest";
import { dayOption, seatsOption, typical, type HalfHour } from "./options";

const half = (start: string, more: Partial<HalfHour>): HalfHour => ({
  start_ms: Date.parse(`2026-10-10T${start}:00+08:00`), calls: 0, answered: 0, abandoned: 0, in_time_from_ring: null,
  in_time_from_prompt: null, connection_rate: null, speed_of_answer: null, talk_seconds: null, ...more,
});
const day = [half("09:00", { calls: 10, answered: 8, abandoned: 2, in_time_from_ring: 0.8, talk_seconds: 100 }), half("09:30", {})];

it("asks about the busiest half-hour with the day's own talks", () => {
  expect(typical(day)).toEqual({ calls: 20, talk: 100 });
  expect(typical([])).toEqual({ calls: 60, talk: 180 });
});

it("shows China's clock, a gap where nobody called, and text in the tooltip", () => {
  const option = dayOption(day, 15, 95) as { xAxis: { data: string[] }; series: { data: (number | null)[] }[]; tooltip: { renderMode: string } };
  expect(option.xAxis.data).toEqual(["09:00", "09:30"]);
  expect(option.series.map((one) => one.data[0])).toEqual([8, 2, 80, null]);
  expect(option.series[2]?.data[1]).toBeNull();
  expect(option.tooltip.renderMode).toBe("richText");
});

it("marks the seats that are asked about", () => {
  const row = { seats: 9, wait_share: 0.1, service_level: 0.951, answer_seconds: 4, abandon_share: 0, occupancy: 0.8 };
  expect(JSON.stringify(seatsOption([row], 15, 95, 9))).toContain("9 席");
});
