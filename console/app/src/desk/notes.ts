/** What is typed in a call, kept in this tab at every key and brought to the engine a moment later, until it has it. */

import { onScopeDispose, reactive, ref, watch, type Ref } from "vue";
import { post, Refused } from "@/api/http";
import { useSession } from "@/api/session";
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
/** Whose: another user at this browser sees none of it. */
const prefix = (user: string): string => `${PREFIX}${user}.`;

interface Kept extends Note {
  saved: boolean;
}

/** What this tab has of a call's note. */
export function kept(user: string, call: string, storage: Storage = sessionStorage): Kept | null {
  try {
    return JSON.parse(storage.getItem(prefix(user) + call) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

/** Notes of other calls that the engine has are needed no more. */
export function tidy(user: string, call: string, storage: Storage = sessionStorage): void {
  const mine = prefix(user);
  for (const key of Object.keys(storage)) {
    if (key.startsWith(mine) && key !== mine + call && kept(user, key.slice(mine.length), storage)?.saved !== false)
      storage.removeItem(key);
  }
}

/** What this user has typed of calls that are over, and the engine has never got. */
export function left(user: string, call: string, storage: Storage = sessionStorage): (Note & { call: string })[] {
  const mine = prefix(user);
  return Object.keys(storage)
    .filter((key) => key.startsWith(mine) && key !== mine + call)
    .flatMap((key) => {
      const of = key.slice(mine.length);
      const note = kept(user, of, storage);
      return note && !note.saved && (note.address || note.summary) ? [{ call: of, address: note.address, summary: note.summary }] : [];
    });
}

export function drop(user: string, call: string, storage: Storage = sessionStorage): void {
  storage.removeItem(prefix(user) + call);
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
  const user = useSession().me?.user ?? "";
  const text = reactive<Note>({ address: "", summary: "" });
  const state = ref<Saving>("saved");
  const fault = ref("");
  let of = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dirtySince = 0;

  function keep(saved: boolean): void {
    if (of) sessionStorage.setItem(prefix(user) + of, JSON.stringify({ ...text, saved } satisfies Kept));
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
      if (error instanceof Refused && error.status === 401) return false; // kept here for when this user comes again
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
      const mine = id ? kept(user, id) : null;
      // What this tab has goes first: an engine that was started anew may not know of it any more.
      text.address = mine?.address ?? call.value?.address ?? "";
      text.summary = mine?.summary ?? call.value?.summary ?? "";
      state.value = "saved";
      tidy(user, id);
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
