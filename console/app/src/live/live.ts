/** One WebSocket for the whole page: whoever shows a topic names it, and has its rows for as long as it is mounted. */

import { computed, onScopeDispose, reactive, readonly, ref, shallowReactive, type ComputedRef } from "vue";
import { get, Refused, sessionOver } from "@/api/http";
import { applied, pause, type Frame, type Row, type Rows } from "./frames";

const SIGNED_OUT = 4401;
const QUIET_MS = 12_000; // pulses come every 5 s: after two that are missing the line is taken for dead
const GATHER_MS = 30; // a page that opens names several topics at once

export type LiveState = "off" | "connecting" | "open" | "cut";

const wanted = reactive(new Map<string, number>());
const rowsOf = shallowReactive(new Map<string, Rows>());
const state = ref<LiveState>("off");
const heardAt = ref(0);
/** How far the engine's clock is ahead of this machine's, in ms. */
const ahead = ref(0);

let socket: WebSocket | null = null;
let tries = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let silence: ReturnType<typeof setTimeout> | undefined;

/** The state of the line, and when something was last heard (this machine's ms). */
export const live = readonly({ state, heardAt, ahead });

/** Rows of a topic, by key; empty until the first frame is there. */
export function useTopic<R = Row>(topic: string): { rows: ComputedRef<Rows<R>>; known: ComputedRef<boolean> } {
  wanted.set(topic, (wanted.get(topic) ?? 0) + 1);
  gather();
  onScopeDispose(() => {
    const left = (wanted.get(topic) ?? 1) - 1;
    if (left) wanted.set(topic, left);
    else wanted.delete(topic);
    gather();
  });
  return {
    rows: computed(() => (rowsOf.get(topic) ?? {}) as Rows<R>),
    known: computed(() => rowsOf.has(topic)),
  };
}

/** The engine's time of now, in unix ms. */
export function engineNow(): number {
  return Date.now() + ahead.value;
}

function gather(): void {
  clearTimeout(timer);
  timer = setTimeout(reopen, GATHER_MS);
}

function reopen(): void {
  const topics = [...wanted.keys()].sort();
  const before = socket;
  socket = null;
  before?.close();
  clearTimeout(silence);
  for (const topic of rowsOf.keys()) if (!wanted.has(topic)) rowsOf.delete(topic);
  if (!topics.length) {
    state.value = "off";
    return;
  }
  if (state.value === "off") state.value = "connecting";
  const mine = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/ws?topics=${topics.join(",")}`);
  socket = mine;
  mine.onmessage = (event) => {
    if (mine === socket) hear(JSON.parse(event.data as string) as Frame);
  };
  mine.onclose = ({ code }) => {
    if (mine !== socket) return;
    if (code === SIGNED_OUT) ended();
    else again();
  };
}

function hear(frame: Frame): void {
  tries = 0;
  state.value = "open";
  heardAt.value = Date.now();
  ahead.value = frame.at - Date.now();
  clearTimeout(silence);
  silence = setTimeout(() => socket?.close(), QUIET_MS);
  if (frame.topic !== "pulse") rowsOf.set(frame.topic, applied(rowsOf.get(frame.topic) ?? {}, frame));
}

function again(): void {
  state.value = "cut";
  clearTimeout(silence);
  clearTimeout(timer);
  timer = setTimeout(reopen, pause(tries++, Math.random()));
  // A socket does not say why it was refused; whoever is no longer signed in is told so by this.
  if (tries === 1 || tries % 5 === 0)
    get("/api/session").catch((no: unknown) => {
      if (no instanceof Refused && no.status === 401) ended();
    });
}

/** Nobody is signed in here any more: nothing is tried again before somebody is. */
function ended(): void {
  socket = null;
  clearTimeout(timer);
  clearTimeout(silence);
  rowsOf.clear();
  state.value = "off";
  sessionOver();
}
