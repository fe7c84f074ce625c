/**
 * The set-up page's own phone: one test call to 12345 through the real switch. It registers nowhere and can dial nothing
 * else; the engine marks what it dials as a test, which counts in no measure.
 */

import { UA, debug } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import { reactive, readonly } from "vue";
import { Ear, loudness, microphone, silence } from "@/phone/sound";
import { Wire, type Credentials } from "@/phone/wire";

export type TrialState = "idle" | "calling" | "talking" | "over";

const NUMBER = "sip:12345@hotline.invalid";
const LEVEL_MS = 200;
/** Of full scale, as the browser measures it: anything that is no silence. */
const AUDIBLE = 0.01;

debug.disable();

const now = reactive({
  state: "idle" as TrialState,
  /** What went wrong in the browser, and what to do. */
  fault: "",
  /** How loud the hotline is, 0 to 1. */
  level: 0,
  /** Whether the browser has got sound in this call. */
  heard: false,
});

const ear = new Ear();
let ua: UA | null = null;
let wire: Wire | null = null;
let session: RTCSession | null = null;
let media: MediaStream | null = null;
let meter: ReturnType<typeof setInterval> | undefined;

export const trial = readonly(now);

/** Call 12345, or have the call taken for a merged number; what comes of it is in `trial`. */
export async function call(number = ""): Promise<void> {
  if (now.state === "calling" || now.state === "talking") return;
  Object.assign(now, { state: "calling", fault: "", level: 0, heard: false });
  try {
    media = await microphone();
  } catch (error) {
    return end(silence(error));
  }
  wire = new Wire("/api/setup/trial/phone", granted, ({ why, words }) => {
    if (why === "elsewhere") end("您在另一个页面又打了一次，这一次已挂断");
    else end(words || "电话系统暂时没有连上；请看诊断后再试");
  }, { number });
  wire.connect();
}

export function hangUp(): void {
  if (session && !session.isEnded()) session.terminate();
  else end("");
}

function granted(credentials: Credentials): void {
  const mine = (ua = new UA({
    sockets: [wire as Wire],
    uri: credentials.uri,
    authorization_user: credentials.user,
    password: credentials.password,
    register: false,
    session_timers: false,
  }));
  mine.on("connected", () => mine === ua && !session && place(mine));
  mine.start();
}

function place(mine: UA): void {
  const placed = (session = mine.call(NUMBER, { mediaStream: media as MediaStream, pcConfig: { iceServers: [] } }));
  placed.connection?.addEventListener("track", ({ track, streams }) => void ear.hear(streams[0] ?? new MediaStream([track])));
  placed.on("confirmed", () => placed === session && (now.state = "talking"));
  placed.on("ended", () => placed === session && end(""));
  placed.on("failed", ({ cause }) => placed === session && end(cause === "Canceled" ? "" : `没有打通（${cause}）；请看诊断里的 Asterisk 和网页电话`));
  meter = setInterval(() => void measure(placed), LEVEL_MS);
}

async function measure(of: RTCSession): Promise<void> {
  if (of !== session || !of.connection) return;
  const { theirs } = await loudness(of.connection);
  if (of !== session) return;
  now.level = theirs;
  now.heard ||= theirs > AUDIBLE;
}

function end(fault: string): void {
  const before = ua;
  ua = null;
  session = null;
  clearInterval(meter);
  media?.getTracks().forEach((track) => track.stop());
  media = null;
  ear.stop();
  wire?.close();
  wire = null;
  before?.stop();
  Object.assign(now, { state: "over", level: 0 });
  now.fault ||= fault;
}
