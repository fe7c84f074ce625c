/** What a call came to (处理结果): chosen by one key, brought to the engine at once, and again until it has it. */

import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from "vue";
import { post } from "@/api/http";
import type { MyCall } from "@/live/rows";
import type { Saving } from "./notes";

export interface Code {
  id: string;
  /** A digit or a small letter. */
  key: string;
  name: string;
  /** Only for calls of these groups; empty: of all. */
  groups: string[];
  note: string;
}

/** What may be said of a call of this group. */
export function choices(codes: readonly Code[], group: string | undefined): Code[] {
  return codes.filter((one) => !one.groups.length || (group !== undefined && one.groups.includes(group)));
}

const PAUSE_MS = 800; // of typing, before a remark is sent
const AGAIN_MS = 3000;

export interface WrapUp {
  codes: ComputedRef<Code[]>;
  /** Empty: nothing was chosen. */
  code: Ref<string>;
  remark: Ref<string>;
  state: Ref<Saving>;
  fault: Ref<string>;
  choose: (code: string) => void;
  /** To be called at every key of the remark. */
  typed: () => void;
  /** Brings over what is not there yet; true when all is. */
  flush: () => Promise<boolean>;
}

export function useWrapUp(call: Ref<MyCall | undefined>, all: () => readonly Code[]): WrapUp {
  const code = ref("");
  const remark = ref("");
  const state = ref<Saving>("saved");
  const fault = ref("");
  let of = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<boolean> {
    clearTimeout(timer);
    if (!of || !code.value || state.value === "saved") return true;
    const [id, sent] = [of, { code: code.value, remark: remark.value.trim() }];
    state.value = "saving";
    try {
      await post(`/api/calls/${id}/wrap-up`, sent);
    } catch (error) {
      if (id !== of) return false;
      state.value = "failed";
      fault.value = error instanceof Error ? error.message : String(error);
      timer = setTimeout(() => void flush(), AGAIN_MS);
      return false;
    }
    if (id !== of) return true;
    fault.value = "";
    if (sent.code === code.value && sent.remark === remark.value.trim()) {
      state.value = "saved";
      return true;
    }
    state.value = "typing";
    return flush();
  }

  function choose(chosen: string): void {
    if (!of || (chosen === code.value && state.value === "saved")) return;
    code.value = chosen;
    if (state.value === "saving") return; // what is on its way sees that it is not the last word
    state.value = "typing";
    void flush();
  }

  function typed(): void {
    if (!of) return;
    if (state.value !== "saving") state.value = "typing";
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), PAUSE_MS);
  }

  watch(
    () => call.value?.call ?? "",
    (id) => {
      void flush();
      clearTimeout(timer);
      of = id;
      fault.value = "";
      code.value = call.value?.wrap_up_code ?? "";
      remark.value = call.value?.remark ?? "";
      state.value = "saved";
    },
    { immediate: true },
  );
  watch(
    () => [call.value?.wrap_up_code, call.value?.remark] as const,
    ([its, said]) => {
      if (!call.value || state.value !== "saved") return; // said in another window of the same agent
      code.value = its ?? "";
      remark.value = said ?? "";
    },
  );
  onScopeDispose(() => {
    void flush();
    clearTimeout(timer);
  });
  return { codes: computed(() => choices(all(), call.value?.group)), code, remark, state, fault, choose, typed, flush };
}
