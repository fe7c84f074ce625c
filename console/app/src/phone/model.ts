/** The phone in the page, as everything else sees it. Pure. */

export type PhoneState = "off" | "connecting" | "ready" | "ringing" | "talking" | "held" | "elsewhere" | "failed";
export type DeviceKind = "microphone" | "speaker" | "ringer";

export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface Devices {
  readonly microphones: readonly Device[];
  /** Where one hears the citizen, and where it rings. */
  readonly speakers: readonly Device[];
  /** What was chosen in this browser; empty: the system's own choice. */
  readonly chosen: Readonly<Record<DeviceKind, string>>;
}

/** How the line to the engine is; a talk goes on without it. */
export type LineState = "off" | "connecting" | "open" | "cut" | "elsewhere" | "refused";

/** What the phone does at this moment. */
export interface Moment {
  readonly line: LineState;
  /** Of the call, if there is one. */
  readonly call: "none" | "ringing" | "talking";
  readonly held: boolean;
  readonly muted: boolean;
  /** Nothing at all has come from the other side for some seconds. */
  readonly silent: boolean;
  /** A talk that a reload interrupted is being fetched back. */
  readonly resuming: boolean;
  /** The engine's own sentence, when it said no; or why there is no microphone. */
  readonly fault: string;
}

/** A call goes first: it lives on while the line is cut. */
export function stateOf(now: Moment): PhoneState {
  if (now.call === "ringing") return "ringing";
  if (now.call === "talking") return now.held ? "held" : "talking";
  switch (now.line) {
    case "off":
      return now.fault ? "failed" : "off";
    case "open":
      return now.fault ? "failed" : "ready";
    case "elsewhere":
      return "elsewhere";
    case "refused":
      return "failed";
    default:
      return "connecting";
  }
}

/** What is going on, in words; never an empty promise. */
export function wordsOf(now: Moment): string {
  const sound = now.silent ? "听不到对方的声音" : "声音不受影响";
  const cut = now.line === "open" ? (now.silent ? `；${sound}，请稍候` : "") : `；与系统的连接断了，正在重连，${sound}`;
  if (now.call === "ringing") return now.resuming ? "正在接回刷新前的通话……" : "来电，请接听";
  if (now.call === "talking") {
    const what = now.held ? "保持中，对方听等待音乐" : now.muted ? "通话中，您已静音" : "通话中";
    return what + cut;
  }
  if (now.resuming) return "正在接回刷新前的通话……";
  if (now.line === "elsewhere") return "网页电话在另一个标签页或另一台电脑上；要在这里接听，请点“拿到这里”";
  if (now.fault) return now.fault;
  if (now.line === "off") return "网页电话没有打开";
  if (now.line === "open") return "网页电话就绪";
  return now.line === "cut" ? "网页电话断线，正在重连……" : "网页电话正在连接……";
}

/** Keys of a telephone; nothing else is sent. */
export function isKey(key: string): boolean {
  return /^[0-9*#]$/.test(key);
}
