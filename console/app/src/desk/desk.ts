/** What the desk watches and asks, in one place; its parts share it. */

import { computed, inject, provide, ref, shallowRef, watch, type ComputedRef, type InjectionKey, type Ref, type ShallowRef } from "vue";
import { get, post } from "@/api/http";
import { useSession } from "@/api/session";
import { useTopic } from "@/live/live";
import type { GroupRow, MyCall, MyOrder, MySeat, MyTransfer, RouteRow } from "@/live/rows";
import type { Phone } from "@/phone/phone";
import { tell } from "@/shared/tell";
import type { Code } from "./wrapup";

export interface Words {
  pause_reasons: string[];
  seats: string[];
  groups: Record<string, string>;
  partners: { id: string; name: string; key: string; note: string }[];
  order_types: { id: string; name: string; departments: string[]; note: string }[];
  wrap_up_codes: Code[];
  /** An agent does not end the wrap-up by hand without one. */
  wrap_up_code_required: boolean;
}

export type Form = "one-key" | "three-party" | "blind" | "attended";

export interface Desk {
  agent: ComputedRef<string>;
  known: ComputedRef<boolean>;
  seat: ComputedRef<MySeat | undefined>;
  call: ComputedRef<MyCall | undefined>;
  transfer: ComputedRef<MyTransfer | undefined>;
  orders: ComputedRef<Record<string, MyOrder>>;
  routes: ComputedRef<Readonly<Record<string, RouteRow>>>;
  groups: ComputedRef<Readonly<Record<string, GroupRow>>>;
  words: ShallowRef<Words | null>;
  /** The phone in the page; null until its program is there. It is on only where the agent wants it. */
  phone: ShallowRef<Phone | null>;
  /** Whether somebody is being called into the talk at this moment, asked for here. */
  asking: Ref<boolean>;
  /** Does what was asked, and tells when it was refused; false then. */
  act: (path: string, body?: object) => Promise<boolean>;
  /** Calls a centre or a partner into the talk; a second press while the first is on its way does nothing. */
  bringIn: (target: string, form: Form) => Promise<void>;
}

const KEY: InjectionKey<Desk> = Symbol("desk");
const AGAIN_MS = 5000;
/** A press on what was just pressed is the same press; after so long without news of it, it is another one. */
const SAME_PRESS_MS = 5000;
const ON_ITS_WAY = new Set(["asked", "dialling", "aside", "waiting", "consulting", "answered"]);
/** After these the keys of the agent's own phone act again. */
const AGAIN = new Set(["failed", "centre-left"]);

/** The desk of whoever is signed in, for the parts below. */
export function openDesk(): Desk {
  const session = useSession();
  const me = useTopic<unknown>("me");
  const routes = useTopic<RouteRow>("routes");
  const groups = useTopic<GroupRow>("groups");
  const words = shallowRef<Words | null>(null);
  const asking = ref(false);
  let last = { what: "", at: 0 };
  const row = <R>(key: string): ComputedRef<R | undefined> => computed(() => me.rows.value[key] as R | undefined);
  const call = row<MyCall>("call");
  const transfer = row<MyTransfer>("transfer");

  async function learn(): Promise<void> {
    try {
      words.value = await get<Words>("/api/desk");
    } catch (error) {
      tell(error);
      setTimeout(() => void learn(), AGAIN_MS);
    }
  }
  void learn();
  const phone = shallowRef<Phone | null>(null);
  void import("@/phone/phone").then((found) => (phone.value = found.usePhone()), tell);

  async function act(path: string, body: object = {}): Promise<boolean> {
    try {
      await post(path, body);
      return true;
    } catch (error) {
      tell(error);
      return false;
    }
  }

  async function bringIn(target: string, form: Form): Promise<void> {
    if (asking.value) return;
    if (!call.value || call.value.phase === "ringing" || call.value.phase === "over") {
      tell(new Error("现在没有通话：接听后才能转接；空闲时请在话机上直接拨号"));
      return;
    }
    const [what, now] = [`${call.value.call}/${target}`, transfer.value];
    if (now?.target === target && ON_ITS_WAY.has(now.state)) return;
    if (!now && last.what === what && Date.now() - last.at < SAME_PRESS_MS) return;
    if (now && AGAIN.has(now.state) && phone.value?.state === "talking" && form !== "attended" && form !== "blind") {
      const key = words.value?.partners.find((one) => one.id === target)?.key ?? target;
      for (const sign of `*${form === "three-party" ? "3" : ""}${key}`) phone.value.dtmf(sign);
      return;
    }
    asking.value = true;
    try {
      if (await act(`/api/calls/${call.value.call}/transfer`, { target, form })) last = { what, at: Date.now() };
    } finally {
      asking.value = false;
    }
  }

  const desk: Desk = {
    agent: computed(() => session.me?.agent ?? ""),
    known: me.known,
    seat: row<MySeat>("seat"),
    call,
    transfer,
    orders: computed(() => (me.rows.value["orders"] ?? {}) as Record<string, MyOrder>),
    routes: routes.rows,
    groups: groups.rows,
    words,
    phone,
    asking,
    act,
    bringIn,
  };
  provide(KEY, desk);
  return desk;
}

export function useDesk(): Desk {
  const desk = inject(KEY);
  if (!desk) throw new Error("no desk above this component");
  return desk;
}

/** What is fetched anew for each call, with the call that it is of; null while there is none or it is on its way. */
export function useOfCall<T>(path: (call: string) => string): { found: ShallowRef<T | null>; fault: Ref<string>; again: () => void } {
  const { call } = useDesk();
  const found = shallowRef<T | null>(null) as ShallowRef<T | null>;
  const fault = ref("");
  async function ask(id: string | undefined): Promise<void> {
    found.value = null;
    fault.value = "";
    if (!id) return;
    try {
      const told = await get<T>(path(id));
      if (call.value?.call === id) found.value = told;
    } catch (error) {
      if (call.value?.call === id) fault.value = error instanceof Error ? error.message : String(error);
    }
  }
  watch(() => call.value?.call, ask, { immediate: true });
  return { found, fault, again: () => void ask(call.value?.call) };
}
