/** Sound of the phone: the ring, the citizen's voice, how loud both sides are, and through which devices. */

import { reactive } from "vue";
import type { Device, DeviceKind } from "./model";

const RING_HZ = 450; // the ringing tone of Chinese networks: 1 s on, 4 s off
const RING_ON_S = 1;
const RING_EVERY_MS = 5000;
const RING_GAIN = 0.2;
const KEPT = "hotline.phone.devices";

type Sinkable = { setSinkId?: (id: string) => Promise<void> };

export const devices = reactive({
  microphones: [] as Device[],
  speakers: [] as Device[],
  chosen: kept(),
});

/** What there is now; called again whenever something is plugged in. */
export async function list(): Promise<void> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind): Device[] =>
    all
      .filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "default")
      .map((one, index) => ({ id: one.deviceId, label: one.label || `设备 ${index + 1}` }));
  devices.microphones = of("audioinput");
  devices.speakers = of("audiooutput");
}

export function keep(kind: DeviceKind, id: string): void {
  devices.chosen[kind] = id;
  localStorage.setItem(KEPT, JSON.stringify(devices.chosen));
}

/** What makes a talk in a loud room bearable. */
const TALK: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** The microphone that was chosen, or any when that one is not plugged in. Throws where there is none, or no leave. */
export async function microphone(audio = TALK): Promise<MediaStream> {
  const wanted = devices.chosen.microphone;
  if (wanted) {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: wanted } } });
    } catch (error) {
      if (!(error instanceof DOMException) || !["OverconstrainedError", "NotFoundError"].includes(error.name)) throw error;
    }
  }
  return await navigator.mediaDevices.getUserMedia({ audio });
}

/** Why there is no microphone, and what to do. */
export function silence(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "浏览器没有让本页使用麦克风；请点地址栏左边的图标，允许麦克风后重新打开网页电话";
  if (name === "NotFoundError") return "没有找到麦克风；请插好耳麦后重新打开网页电话";
  if (name === "NotReadableError") return "麦克风被别的程序占用；请关掉它后重新打开网页电话";
  if (!window.isSecureContext) return "网页电话需要 https；请从 https 地址打开本系统，或请管理员设置证书";
  return "打不开麦克风；请检查耳麦和浏览器的权限后重新打开网页电话";
}

/** The citizen's voice. */
export class Ear {
  private readonly audio = new Audio();

  constructor() {
    this.audio.autoplay = true;
  }

  async hear(stream: MediaStream): Promise<void> {
    this.audio.srcObject = stream;
    await through(this.audio as Sinkable, devices.chosen.speaker);
    await this.audio.play().catch(() => {});
  }

  async move(): Promise<void> {
    await through(this.audio as Sinkable, devices.chosen.speaker);
  }

  stop(): void {
    this.audio.srcObject = null;
  }
}

/** Rings until it is told to stop. */
export class Bell {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  async ring(): Promise<void> {
    this.stop();
    const context = (this.context = new AudioContext());
    await through(context as Sinkable, devices.chosen.ringer);
    if (context !== this.context) return;
    await Promise.race([context.resume(), new Promise((go) => setTimeout(go, 500))]);
    const once = (): void => {
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = RING_HZ;
      gain.gain.value = RING_GAIN;
      tone.connect(gain).connect(context.destination);
      tone.start();
      tone.stop(context.currentTime + RING_ON_S);
    };
    if (context !== this.context) return;
    once();
    this.timer = setInterval(once, RING_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    void this.context?.close();
    this.context = null;
  }
}

/** How loud both sides are, 0 to 1, and how many packets have come, as the browser measures its own media. */
export async function loudness(
  connection: RTCPeerConnection,
): Promise<{ mine: number; theirs: number; packets: number }> {
  const found = { mine: 0, theirs: 0, packets: 0 };
  for (const one of (await connection.getStats()).values() as Iterable<Measured>) {
    if (one.type === "media-source") found.mine = one.audioLevel ?? 0;
    if (one.type !== "inbound-rtp") continue;
    found.theirs = one.audioLevel ?? 0;
    found.packets = one.packetsReceived ?? 0;
  }
  return found;
}

interface Measured {
  readonly type: string;
  readonly audioLevel?: number;
  readonly packetsReceived?: number;
}

async function through(what: Sinkable, device: string): Promise<void> {
  // Not every browser can choose; a device that was pulled out must not cost the sound.
  await what.setSinkId?.(device).catch(() => {});
}

function kept(): Record<DeviceKind, string> {
  const none = { microphone: "", speaker: "", ringer: "" };
  try {
    return { ...none, ...(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<typeof none>) };
  } catch {
    return none;
  }
}
