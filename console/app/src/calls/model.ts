/** What the engine tells of past calls (console/api/calls.py). Times are ISO 8601, UTC. */

export interface CallOutline {
  call: string;
  number: string;
  /** Masked; empty: withheld. */
  caller: string;
  entered_at: string;
  answered_at: string | null;
  ended_at: string | null;
  group: string;
  agent: string;
  seat: string;
  answered_by: string;
  /** 1 to 5; 0: asked for and not given. */
  rating_level: number | null;
  talk_ms: number | null;
  waited_ms: number | null;
  transfers: { target: string; state: string }[];
  /** What it came to; empty: nobody has said. */
  wrap_up_code: string;
}

/** An urgent order, a message or a callback that belongs to a call. */
export interface Link {
  kind: "order" | "message" | "callback";
  id: string;
  text: string;
  /** The call to open for more; empty: there is none. */
  call: string;
}

export interface Bar {
  lane: string;
  who: string;
  phase: "greeted" | "waiting" | "ringing" | "talking" | "held" | "after";
  text: string;
  /** Seconds since the call rang. */
  since: number;
  until: number | null;
}

export interface Mark {
  seconds: number;
  kind: "transfer" | "party" | "hold" | "rating";
  text: string;
}

export interface Timeline {
  seconds: number;
  /** Where the recording begins; null: there is none. */
  recorded_at: number | null;
  bars: Bar[];
  marks: Mark[];
}

export interface Story extends CallOutline {
  story: { seconds: number; at: string; kind: string; text: string }[];
  timeline: Timeline;
  related: { links: Link[]; earlier: CallOutline[]; later: CallOutline[] };
}

export type Names = Record<"groups" | "agents" | "lines" | "targets" | "wrap_up_codes", Record<string, string>>;

export interface CallPage {
  calls: CallOutline[];
  /** Where the next page begins. */
  next: string | null;
  names?: Names;
}

/** Whether this is the id of a call: an address may say anything. telephony/model.py says the same and decides. */
export function isCall(id: string): boolean {
  return /^[a-z0-9]{1,12}-\d{10}\.\d{1,10}$/.test(id);
}

export const RATINGS: Readonly<Record<number, string>> = {
  5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意", 0: "未评价",
};

const BY: Readonly<Record<string, string>> = {
  agent: "已接听", subcentre: "分中心接听", "duty-phone": "值班电话接听", fallback: "应急排队接听", emergency: "应急中心接听",
};

/** What became of a call, in words. */
export function outcome(call: Pick<CallOutline, "answered_at" | "ended_at" | "answered_by">): string {
  if (call.answered_at) return BY[call.answered_by] ?? "已接听";
  return call.ended_at ? "未接听" : "进行中";
}

/** What it came to, in words: 未填 where an agent of ours should have said. */
export function cameTo(call: Pick<CallOutline, "wrap_up_code" | "answered_by" | "ended_at">, names: Names): string {
  if (call.wrap_up_code) return names.wrap_up_codes[call.wrap_up_code] ?? call.wrap_up_code;
  const asked = call.answered_by === "agent" && call.ended_at && Object.keys(names.wrap_up_codes).length;
  return asked ? "未填" : "";
}

/** `1002 王五`, or what there is of it. */
export function called(id: string, names: Readonly<Record<string, string>>): string {
  const name = names[id];
  return name && name !== id ? `${id} ${name}` : id;
}
