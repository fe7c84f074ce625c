/** One recording from the microphone, with a level to watch while it runs. */

import { onScopeDispose, ref, shallowRef } from "vue";
import { microphone, silence } from "@/phone/sound";
import { level, mixed, wav } from "./wav";

const LONGEST_MS = 25_000; // a prompt has 20 s, after silence is trimmed
const SMALL = 1024;

/** A voice as it is: what makes talks bearable takes parts of it away. */
const AS_IT_IS: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** `failed` hears why there is no recording, and what to do. */
export function useRecorder(failed: (error: Error) => void): {
  recording: ReturnType<typeof ref<boolean>>;
  loudness: ReturnType<typeof ref<number>>;
  seconds: ReturnType<typeof ref<number>>;
  made: ReturnType<typeof shallowRef<Blob | null>>;
  start: () => Promise<void>;
  stop: () => Promise<void>;
  /** Off, and nothing is made of it. */
  drop: () => void;
} {
  const recording = ref(false);
  const loudness = ref(0);
  const seconds = ref(0);
  const made = shallowRef<Blob | null>(null);
  let stream: MediaStream | null = null;
  let context: AudioContext | null = null;
  let recorder: MediaRecorder | null = null;
  let parts: Blob[] = [];
  let began = 0;
  let frame = 0;
  let gone = false;

  async function start(): Promise<void> {
    if (recording.value) return;
    recording.value = true;
    made.value = null;
    try {
      stream = await microphone(AS_IT_IS);
      if (gone) return release();
      context = new AudioContext();
      await context.resume();
      const ear = context.createAnalyser();
      ear.fftSize = SMALL;
      context.createMediaStreamSource(stream).connect(ear);
      recorder = new MediaRecorder(stream, { audioBitsPerSecond: 128_000 });
      parts = [];
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.start();
      began = performance.now();
      watch(ear, new Float32Array(SMALL));
    } catch (error) {
      release();
      failed(new Error(silence(error).replaceAll("打开网页电话", "录音").replaceAll("网页电话", "录音")));
    }
  }

  function watch(ear: AnalyserNode, samples: Float32Array<ArrayBuffer>): void {
    ear.getFloatTimeDomainData(samples);
    loudness.value = level(samples);
    seconds.value = (performance.now() - began) / 1000;
    if (performance.now() - began > LONGEST_MS) void stop();
    else frame = requestAnimationFrame(() => watch(ear, samples));
  }

  async function stop(): Promise<void> {
    const [running, hearing] = [recorder, context];
    if (!running || !hearing || running.state === "inactive") return;
    cancelAnimationFrame(frame);
    await new Promise<void>((over) => {
      running.onstop = () => over();
      running.stop();
    });
    try {
      const sound = await hearing.decodeAudioData(await new Blob(parts, { type: running.mimeType }).arrayBuffer());
      if (recorder !== running) return; // dropped meanwhile
      const channels = Array.from({ length: sound.numberOfChannels }, (_, at) => sound.getChannelData(at));
      made.value = new Blob([wav(mixed(channels), sound.sampleRate)], { type: "audio/wav" });
    } catch {
      if (recorder === running) failed(new Error("没有录到声音；请检查麦克风后重新录音，或上传 wav 文件"));
    } finally {
      if (recorder === running) release();
    }
  }

  function release(): void {
    cancelAnimationFrame(frame);
    stream?.getTracks().forEach((track) => track.stop());
    void context?.close();
    [stream, context, recorder] = [null, null, null];
    recording.value = false;
    loudness.value = 0;
  }

  onScopeDispose(() => {
    gone = true;
    release();
  });

  return { recording, loudness, seconds, made, start, stop, drop: release };
}
