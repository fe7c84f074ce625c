/** Callbacks, messages and urgent orders as one list: what each is, what is overdue, what comes first. Pure. */

export type Kind = "callback" | "message" | "order";
export const KINDS: Readonly<Record<Kind, string>> = { callback: "回拨", message: "留言", order: "应急工单" };

export interface Callback {
  id: string; number: string; line: string; group: string; state: string; words: string; since_ms: number; promised_at: string;
  attempts: number; not_before: string | null; closed_at: string | null; agent: string;
}

export interface Message {
  id: string; caller: string; line: string; group: string; holder: string; seconds: number; taken_at: string; due_at: string;
  closed_at: string | null; closed_by: string; note: string;
}

export interface Order {
  number: string; call: string; type_name: string; place: string; state: string; standing: string; by: string; raised_at: string;
  due_at: string | null; finish_by: string | null; overdue: boolean; department: string; department_name: string; acknowledged_at: string | null;
  over_at: string | null; attempts: number;
}

/** What the order's own route tells besides; the caller's number is masked. */
export interface WholeOrder extends Order {
  summary: string; caller: string; departments: { id: string; name: string }[]; told: string[]; calling: string;
  acknowledged_by: string; over_by: string; reason: string;
}

/** One thing that somebody was promised. */
export interface Item {
  /** Of all three kinds together. */
  key: string;
  kind: Kind;
  /** The call's id, of an order its number. */
  id: string;
  /** The call in which it was promised. */
  call: string;
  /** Masked; empty where a list does not tell it. */
  who: string;
  /** The line that was dialled; of an order what it is about. */
  about: string;
  /** The group; of an order the department. */
  place: string;
  /** Of a department; groups are named by the live topic. */
  placeName: string;
  words: string;
  /** The agent who is to deal with it. */
  holder: string;
  since: number;
  due: number | null;
  open: boolean;
  overdue: boolean;
  state: string;
}

export const STATES = { open: "待处理", overdue: "超时的", over: "已结束" } as const;
export type Shown = keyof typeof STATES;

/** Ages that a filter offers, in minutes. */
export const AGES: Readonly<Record<string, number>> = { "不限时间": 0, "超过 15 分钟": 15, "超过 1 小时": 60, "超过 4 小时": 240, "超过 24 小时": 1440 };

function callback(row: Callback): Item {
  const later = row.state === "waiting" && row.not_before ? Date.parse(row.not_before) : null;
  return {
    key: `callback/${row.id}`, kind: "callback", id: row.id, call: row.id, who: row.number, about: row.line, place: row.group, placeName: "",
    words: row.words, holder: row.agent, since: row.since_ms, due: later, open: !row.closed_at, overdue: false, state: row.state,
  };
}

function message(row: Message, now: number): Item {
  const due = Date.parse(row.due_at);
  const words = row.closed_at ? `${row.closed_by} 已办结：${row.note}` : row.holder ? `由 ${row.holder} 处理` : "等待处理";
  return {
    key: `message/${row.id}`, kind: "message", id: row.id, call: row.id, who: row.caller || "未显示号码", about: row.line,
    place: row.group, placeName: "", words, holder: row.holder, since: Date.parse(row.taken_at), due, open: !row.closed_at,
    overdue: !row.closed_at && now > due, state: row.closed_at ? "closed" : "open",
  };
}

function order(row: Order): Item {
  const due = row.due_at ?? row.finish_by;
  return {
    key: `order/${row.number}`, kind: "order", id: row.number, call: row.call, who: "", about: `${row.type_name} ${row.place}`,
    place: row.department, placeName: row.department_name, words: row.standing, holder: "", since: Date.parse(row.raised_at), due: due ? Date.parse(due) : null,
    open: !row.over_at, overdue: row.overdue, state: row.state,
  };
}

export function items(callbacks: readonly Callback[], messages: readonly Message[], orders: readonly Order[], now: number): Item[] {
  return [...callbacks.map(callback), ...messages.map((row) => message(row, now)), ...orders.map(order)];
}

export interface Filter {
  kind: Kind | "";
  shown: Shown;
  place: string;
  /** Minutes. */
  age: number;
}

/** Those that the filter lets through: the overdue first, then what is due first, then the oldest; what is over the latest first. */
export function chosen(all: readonly Item[], filter: Filter, now: number): Item[] {
  const far = Number.MAX_SAFE_INTEGER;
  const due = (one: Item): number => (one.kind === "callback" ? far : (one.due ?? far));
  return all
    .filter((one) => (filter.shown === "over" ? !one.open : one.open && (filter.shown === "open" || one.overdue)))
    .filter((one) => !filter.kind || one.kind === filter.kind)
    .filter((one) => !filter.place || one.place === filter.place)
    .filter((one) => now - one.since >= filter.age * 60_000)
    .sort((one, other) =>
      filter.shown === "over"
        ? other.since - one.since
        : Number(other.overdue) - Number(one.overdue) || due(one) - due(other) || one.since - other.since,
    );
}

/** A shape and a word for how it stands, so that colour is not all there is. */
export function mark(one: Item, now: number): { shape: string; words: string; tone: string } {
  if (!one.open) return { shape: "○", words: "已结束", tone: "quiet" };
  if (one.overdue) return { shape: "■", words: one.state === "unanswered" ? "无人签收" : "已超时", tone: "bad" };
  if (one.kind !== "callback" && one.due !== null && one.due - now < SOON_MS) return { shape: "▲", words: "快到时限", tone: "soon" };
  return { shape: "●", words: "正常", tone: "good" };
}

const SOON_MS = 30 * 60_000;
