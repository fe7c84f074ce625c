/**
 * The phone in the page: `const phone = usePhone()`, then `phone.state`, `phone.answer()` …; one for the whole page, so do
 * not take it apart. What it is to the ACD: the seat that is called as the agent (`phone.seat`); sign in there as anywhere.
 *
 * A reload of the page loses the call's media and nothing else: the phone registers again and asks the engine to ring it
 * for the caller whom it lost, and answers that by itself.
 */

import { UA, debug } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import { computed, reactive, readonly, watch } from "vue";
import { post, Refused, sessionOver } from "@/api/http";
import { isKey, stateOf, wordsOf, type DeviceKind, type Devices, type Moment, type PhoneState } from "./model";
import { Bell, devices, Ear, keep, list, loudness, microphone, silence } from "./sound";
import { TabLock } from "./tab";
import { Wire, type Ending } from "./wire";

export type { Device, DeviceKind, Devices, PhoneState } from "./model";

export interface Phone {
  readonly state: PhoneState;
  /** What is going on, in Chinese. */
  readonly words: string;
  readonly muted: boolean;
  readonly held: boolean;
  /** The seat to sign in at; empty until it is known. */
  readonly seat: string;
  /** Whether this browser is to have the phone; remembered. */
  readonly wanted: boolean;
  readonly devices: Devices;
  /** How loud both sides are, 0 to 1. */
  readonly levels: { readonly mine: number; readonly theirs: number };
  turnOn(): Promise<void>;
  turnOff(): void;
  answer(): Promise<void>;
  /** Also refuses a call that rings. */
  hangUp(): void;
  hold(): void;
  unhold(): void;
  mute(): void;
  unmute(): void;
  /** A key of 0-9, * and #; others are not sent. */
  dtmf(key: string): void;
  choose(kind: DeviceKind, id: string): Promise<void>;
  /** Brings the phone from the other tab, or the other machine, to this one, with its call. */
  takeOver(): Promise<void>;
}

const REGISTER_SECONDS = 120;
const LEVEL_MS = 200;
const SILENT_MS = 3000; // sound comes fifty times a second, also when nobody speaks
const RESUME_MS = 12_000; // the engine rings for 10 s
const WANTED = "hotline.phone.on";
const MEDIA = { pcConfig: { iceServers: [] as RTCIceServer[] } };

debug.disable();

const now = reactive<{ -readonly [K in keyof Moment]: Moment[K] }>({
  line: "off",
  call: "none",
  held: false,
  muted: false,
  silent: false,
  resuming: false,
  fault: "",
});
const more = reactive({ seat: "", wanted: localStorage.getItem(WANTED) === "yes", levels: { mine: 0, theirs: 0 } });

const tab = new TabLock();
const ear = new Ear();
const bell = new Bell();
let ua: UA | null = null;
let wire: Wire | null = null;
let session: RTCSession | null = null;
let media: MediaStream | null = null;
let meter: ReturnType<typeof setInterval> | undefined;
let resume: ReturnType<typeof setTimeout> | undefined;
/** Packets of sound that have come, and when that number last changed. */
let heard = { packets: 0, at: 0 };
/** The page was loaded, or took the phone over, and has not asked yet whether a call was lost by it. */
let fresh = true;

watch(
  () => now.call === "ringing" && !now.resuming,
  (rings) => (rings ? void bell.ring() : bell.stop()),
);

const phone: Phone = reactive({
  state: computed(() => stateOf(now)),
  words: computed(() => wordsOf(now)),
  muted: computed(() => now.muted),
  held: computed(() => now.held),
  seat: computed(() => more.seat),
  wanted: computed(() => more.wanted),
  devices: readonly(devices),
  levels: readonly(more.levels),
  turnOn,
  turnOff,
  answer,
  hangUp,
  hold: () => void session?.hold(),
  unhold: () => void session?.unhold(),
  mute: () => void session?.mute({ audio: true }),
  unmute: () => void session?.unmute({ audio: true }),
  dtmf,
  choose,
  takeOver,
});

/** The page's one phone. */
export function usePhone(): Phone {
  return phone;
}

async function turnOn(): Promise<void> {
  remember(true);
  if (now.line !== "off" && now.line !== "refused" && now.line !== "elsewhere") return;
  now.fault = "";
  now.line = "connecting";
  if (await tab.take(lostTab, () => void begin())) await begin();
  else now.line = "elsewhere";
}

function turnOff(): void {
  remember(false);
  if (session) session.terminate();
  stop("off");
  tab.release();
}

async function takeOver(): Promise<void> {
  remember(true);
  now.line = "connecting";
  await tab.steal(lostTab);
  await begin();
}

/** Ask for the microphone first: a phone that cannot speak is not to be rung. */
async function begin(): Promise<void> {
  if (!more.wanted) return tab.release();
  now.line = "connecting";
  now.fault = "";
  fresh = true;
  try {
    (await microphone()).getTracks().forEach((track) => track.stop());
    await list();
  } catch (error) {
    stop("off");
    now.fault = silence(error);
    tab.release();
    return;
  }
  connect();
}

function connect(): void {
  disconnect();
  // Who we are is told by the engine with the password; the user agent is made when it is known.
  wire = new Wire("/api/phone", granted, lost);
  wire.connect();
}

/** A password for one connection: the first makes the user agent, later ones keep it, and the call that it may have. */
function granted(credentials: { seat: string; uri: string; user: string; password: string }): void {
  more.seat = credentials.seat;
  if (ua) {
    ua.set("password", credentials.password);
    return;
  }
  const mine = (ua = new UA({
    sockets: [wire as Wire],
    uri: credentials.uri,
    authorization_user: credentials.user,
    password: credentials.password,
    register_expires: REGISTER_SECONDS,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 8,
  }));
  mine.on("registered", () => mine === ua && void registered());
  mine.on("registrationFailed", () => mine === ua && wire?.drop());
  mine.on("newRTCSession", ({ session: incoming }: { session: RTCSession }) => {
    if (mine === ua && String(incoming.direction) === "incoming") rings(incoming);
  });
  mine.start();
}

async function registered(): Promise<void> {
  const before = now.line;
  now.line = "open";
  now.fault = "";
  if (session?.isEstablished()) {
    // The switch learns where to reach us now, and says so if the call is no more.
    if (before !== "open") session.renegotiate();
    return;
  }
  if (!fresh) return;
  fresh = false;
  now.resuming = true;
  clearTimeout(resume);
  resume = setTimeout(() => (now.resuming = false), RESUME_MS);
  try {
    await post("/api/phone/resume");
  } catch (error) {
    clearTimeout(resume);
    now.resuming = false;
    if (!(error instanceof Refused)) throw error;
  }
}

function lost(ending: Ending): void {
  switch (ending.why) {
    case "elsewhere":
      stop("elsewhere");
      break;
    case "signed-out":
      stop("off");
      tab.release();
      sessionOver();
      break;
    case "refused":
      now.line = "refused";
      now.fault = ending.words;
      if (!ua) setTimeout(() => now.line === "refused" && wire?.connect(), 8000);
      break;
    case "cut":
      now.line = now.line === "connecting" && !ua ? "connecting" : "cut";
      if (!ua) setTimeout(() => now.line === "connecting" && wire?.connect(), 2000);
  }
}

function lostTab(): void {
  stop("elsewhere");
  tab.wait(lostTab, () => void begin());
}

/** Let the line go without a word to the switch: a call that is up is another page's now, or is fetched back. */
function stop(line: "off" | "elsewhere"): void {
  now.line = line;
  now.resuming = false;
  clearTimeout(resume);
  disconnect();
  over();
}

function disconnect(): void {
  const before = ua;
  ua = null;
  wire?.close();
  wire = null;
  before?.stop();
}

function rings(incoming: RTCSession): void {
  if (session) {
    incoming.terminate({ status_code: 486 });
    return;
  }
  session = incoming;
  now.call = "ringing";
  const mine = (what: () => void) => () => incoming === session && what();
  incoming.on("accepted", mine(() => (now.call = "talking")));
  incoming.on("peerconnection", ({ peerconnection }) => listen(peerconnection));
  incoming.on("hold", ({ originator }) => incoming === session && originator === "local" && (now.held = true));
  incoming.on("unhold", ({ originator }) => incoming === session && originator === "local" && (now.held = false));
  incoming.on("muted", mine(() => (now.muted = true)));
  incoming.on("unmuted", mine(() => (now.muted = false)));
  incoming.on("ended", mine(over));
  incoming.on("failed", mine(over));
  if (now.resuming) void answer().finally(() => (now.resuming = false));
}

async function answer(): Promise<void> {
  const incoming = session;
  if (!incoming?.isInProgress()) return;
  bell.stop();
  let stream: MediaStream;
  try {
    stream = await microphone();
  } catch (error) {
    now.fault = silence(error);
    incoming.terminate({ status_code: 480 });
    return;
  }
  if (incoming !== session || !incoming.isInProgress()) {
    stream.getTracks().forEach((track) => track.stop());
    return;
  }
  media = stream;
  incoming.answer({ mediaStream: stream, ...MEDIA });
  heard = { packets: 0, at: Date.now() };
  meter = setInterval(() => void measure(incoming), LEVEL_MS);
}

function listen(connection: RTCPeerConnection): void {
  connection.addEventListener("track", ({ track, streams }) => void ear.hear(streams[0] ?? new MediaStream([track])));
}

async function measure(of: RTCSession): Promise<void> {
  if (of !== session || !of.connection) return;
  const { mine, theirs, packets } = await loudness(of.connection);
  if (of !== session) return;
  Object.assign(more.levels, { mine, theirs });
  if (packets !== heard.packets) heard = { packets, at: Date.now() };
  now.silent = Date.now() - heard.at > SILENT_MS;
}

function hangUp(): void {
  if (session && !session.isEnded()) session.terminate();
}

function over(): void {
  session = null;
  clearInterval(meter);
  media?.getTracks().forEach((track) => track.stop());
  media = null;
  ear.stop();
  bell.stop();
  Object.assign(now, { call: "none", held: false, muted: false, silent: false });
  Object.assign(more.levels, { mine: 0, theirs: 0 });
}

function dtmf(key: string): void {
  if (isKey(key) && session?.isEstablished()) session.sendDTMF(key, { transportType: "RFC2833" as never });
}

async function choose(kind: DeviceKind, id: string): Promise<void> {
  keep(kind, id);
  if (kind === "speaker") await ear.move();
  if (kind !== "microphone" || !session?.isEstablished()) return;
  const stream = await microphone();
  const [track] = stream.getAudioTracks();
  if (!track) return;
  track.enabled = !now.muted && !now.held;
  await session.connection.getSenders().find((one) => one.track?.kind === "audio")?.replaceTrack(track);
  media?.getTracks().forEach((old) => old.stop());
  media = stream;
}

function remember(on: boolean): void {
  more.wanted = on;
  localStorage.setItem(WANTED, on ? "yes" : "no");
}

navigator.mediaDevices?.addEventListener("devicechange", () => void list());
