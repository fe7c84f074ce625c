/** What is typed in a call, kept in this tab at every key and brought to the engine a moment later, until it has it. */

import { onScopeDispose, reactive, ref, watch, type Ref } from "vue";
import { post } from "@/api/http";
import type { MyCall } from "@/live/rows";

export interface Note {
  address: string;
  summary: string;
}

export type Saving = "saved" | "typing" | "saving" | "failed";

const PAUSE_MS = 800; // of typing, before it is sent
const LONGEST_MS = 4000; // somebody who never pauses is saved, too
const AGAIN_MS = 3000;
const PREFIX = "hotline.notes.";

interface Kept extends Note {
  saved: boolean;
}

/** What this tab has of a call's note. */
export function kept(call: string, storage: Storage = sessionStorage): Kept | null {
  try {
    return JSON.parse(storage.getItem(PREFIX + call) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

/** Notes of other calls that the engine has are needed no more. */
export function tidy(call: string, storage: Storage = sessionStorage): void {
  for (const key of Object.keys(storage)) {
    if (key.startsWith(PREFIX) && key !== PREFIX + call && kept(key.slice(PREFIX.length), storage)?.saved !== false)
      storage.removeItem(key);
  }
}

export interface Notes {
  text: Note;
  state: Ref<Saving>;
  /** The engine's sentence, when it did not take it. */
  fault: Ref<string>;
  /** To be called at every key. */
  typed: () => void;
  /** Brings over what is not there yet; true when all is. */
  flush: () => Promise<boolean>;
}

export function useNotes(call: Ref<MyCall | undefined>): Notes {
  const text = reactive<Note>({ address: "", summary: "" });
  const state = ref<Saving>("saved");
  const fault = ref("");
  let of = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dirtySince = 0;

  function keep(saved: boolean): void {
    if (of) sessionStorage.setItem(PREFIX + of, JSON.stringify({ ...text, saved } satisfies Kept));
  }

  function typed(): void {
    if (!of) return;
    keep(false);
    if (state.value !== "saving") state.value = "typing";
    dirtySince ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), Math.max(0, Math.min(PAUSE_MS, dirtySince + LONGEST_MS - Date.now())));
  }

  async function flush(): Promise<boolean> {
    clearTimeout(timer);
    if (!of || state.value === "saved") return true;
    const [id, sent] = [of, { ...text }];
    state.value = "saving";
    dirtySince = 0;
    try {
      await post(`/api/calls/${id}/note`, sent);
    } catch (error) {
      if (id !== of) return false;
      state.value = "failed";
      fault.value = error instanceof Error ? error.message : String(error);
      timer = setTimeout(() => void flush(), AGAIN_MS);
      return false;
    }
    if (id !== of) return true;
    fault.value = "";
    if (sent.address === text.address && sent.summary === text.summary) {
      keep(true);
      state.value = "saved";
      return true;
    }
    state.value = "typing";
    timer = setTimeout(() => void flush(), PAUSE_MS);
    return false;
  }

  watch(
    () => call.value?.call ?? "",
    (id) => {
      void flush();
      clearTimeout(timer);
      of = id;
      fault.value = "";
      dirtySince = 0;
      const mine = id ? kept(id) : null;
      // What this tab has goes first: an engine that was started anew may not know of it any more.
      text.address = mine?.address ?? call.value?.address ?? "";
      text.summary = mine?.summary ?? call.value?.summary ?? "";
      state.value = "saved";
      tidy(id);
      if (mine && !mine.saved) {
        state.value = "typing";
        void flush();
      }
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    void flush();
    clearTimeout(timer);
  });
  return { text, state, fault, typed, flush };
}
