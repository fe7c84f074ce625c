/** The rows of each topic of the live WebSocket, as console/screens/rows.py and console/screens/agent_desk.py make them. Times are unix ms. */

export type SeatState =
  | "signed-out" | "ready" | "reserved" | "ringing" | "talking" | "hold" | "wrap-up" | "paused" | "not-responding"
  | "unreachable" | "busy";

/** Topic `me`: rows `seat`, `call`, `transfer` and `orders`. */
export interface MySeat {
  agent: string;
  name: string;
  /** null while not signed in; then only this, the state and its words are there. */
  seat: string | null;
  state: SeatState;
  words: string;
  since_ms: number;
  until_ms: number | null;
  /** Reason of the pause, also of one that waits for the call's end. */
  pause: string | null;
  why: string | null;
  why_words: string;
  call: string | null;
  reachable: boolean;
  /** Signs out when the call is over. */
  leaving: boolean;
  groups: string[];
}

interface CallFacts {
  call: string;
  stage: string;
  /** The number dialled, and with the name of its line: `12333 人社`. */
  number: string;
  line: string;
  /** Masked. */
  caller: string;
  /** What its number tells of where the caller is: 手机, 本市固话, 外地固话（0769） … */
  area: string;
  group: string;
  group_name: string;
  /** When it rang. */
  since_ms: number;
  priority: number;
  /** Why it is no call like any other: 重复来电, 110 转来, 回拨, 骚扰名单 … */
  reasons: string[];
  pressed: string[];
  language: string;
  origin: string;
  reference: string;
}

export interface MyCall extends CallFacts {
  phase: "ringing" | "talking" | "hold" | "conference" | "over";
  talk_since_ms: number | null;
  held_since_ms: number | null;
  /** What was typed so far. */
  address: string;
  summary: string;
  /** What this agent has said that it came to; empty: nothing yet. */
  wrap_up_code: string;
  remark: string;
}

export interface MyTransfer {
  id: string;
  target: string;
  name: string;
  form: string;
  form_words: string;
  state: string;
  progress: "" | "ringing" | "early-media";
  words: string;
  trunk: string;
  trunk_name: string;
  /** Who is in the call: caller, agent, centre. */
  talking: string[];
}

export interface MyOrder {
  type: string;
  place: string;
  summary: string;
  state: string;
  words: string;
  raised_ms: number;
}

/** Topic `agents`, by agent id. */
export interface AgentRow {
  seat: string;
  state: SeatState;
  words: string;
  since_ms: number;
  until_ms: number | null;
  pause: string | null;
  why: string | null;
  call: string | null;
  reachable: boolean;
  leaving: boolean;
  name: string;
  supervisor: boolean;
  groups: string[];
  /** The trunk to another site whose place this is; empty for a phone of ours. */
  site: string;
}

/** Topic `calls`, by call id. */
export interface CallRow extends Partial<CallFacts> {
  call: string;
  phase: "waiting" | "offered" | "talking";
  group: string;
  priority: number;
  since_ms: number;
  /** Who has the smallest is served first. */
  rank_ms: number;
  talk_since_ms: number | null;
  seat: string | null;
  agent: string | null;
}

/** Topic `groups`, by group id, and `all`. */
export interface GroupRow {
  name?: string;
  waiting: number;
  ringing: number;
  talking: number;
  oldest_since_ms: number | null;
  agents: number;
  states: Partial<Record<SeatState, number>>;
  closed: boolean;
}

/** Topic `measures`, by group id, and `all`: the last 24 hours. Shares are from 0 to 1, null where there is nothing to divide. */
export interface MeasureRow {
  calls: number;
  answered: number;
  connection_rate: number | null;
  connection_rate_without_short: number | null;
  in_time_from_ring: number | null;
  in_time_from_prompt: number | null;
  speed_of_answer: number | null;
  speed_of_answer_after_prompt: number | null;
  abandoned: number;
  short_abandoned: number;
  /** Only of `all`: whether the whole day is known, and what the city aims at. */
  learned?: boolean;
  aims?: { answer_seconds: number; percent: number; short_seconds: number };
}

/** Topic `routes`, by trunk id, of partners by `partner/trunk`. */
export interface RouteRow {
  /** 110, 119 …, or the partner's id. */
  target: string;
  kind: "emergency" | "partner";
  name: string;
  /** 0 is tried first. */
  place: number;
  /** null: not known yet. */
  up: boolean | null;
  since_ms: number | null;
  /** Transfers that use it now. */
  calls: number;
  partner?: string;
  /** What an agent presses after the star. */
  key?: string;
}

/** Topic `alarms`, by alarm. */
export interface AlarmRow {
  text: string;
  since_ms: number;
  grave: boolean;
}

/** Topic `announcements`, by id. */
export interface AnnouncementRow {
  id: string;
  text: string;
  in_table: boolean;
  raised: { id: string; at: string; by: string; reason: string } | null;
}

/** Topic `drills`, by drill, or `ring-` and the seat whose phone rings for one. */
export interface DrillRow {
  target: string;
  seat: string;
  agent: string;
  /** Who asked for it; empty: the key. */
  by: string;
  state: "ringing" | "asked" | "dialling" | "invited" | "answered" | "missed" | "failed" | "left" | "ended";
  trunk: string;
  success: boolean;
  since_ms: number;
  steps: { state: string; words: string; at_ms: number; trunk?: string; ms?: number; why?: string; received?: number }[];
}

/** Topic `work`: rows `callbacks`, `messages`, `orders`. */
export interface WorkRow {
  open: number;
  overdue?: number;
  dispatched?: number;
  unanswered?: number;
  acknowledged?: number;
}
