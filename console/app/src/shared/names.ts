/** What the rows of the routing table are called: a page shows no key where there is a name. */

import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { get } from "@/api/http";
import { useSession } from "@/api/session";

export type Kind =
  | "groups" | "schedules" | "skills" | "trunks" | "partners" | "agents" | "numbers" | "departments" | "order_types" | "wrap_up_codes"
  | "self_service" | "announcements" | "prompts";

type Named = Readonly<Record<string, Readonly<Record<string, string>>>>;

const AGAIN_MS = 10_000; // a key that is unknown may have been published meanwhile; it is asked for no more often

export const useNames = defineStore("names", () => {
  const named = shallowRef<Named>({});
  const version = ref(0);
  let asked = 0;
  let asking = false;

  async function load(): Promise<void> {
    if (asking || !useSession().may("live.read")) return;
    asking = true;
    asked = Date.now();
    try {
      const told = await get<{ version: number; names: Named }>("/api/names");
      named.value = told.names;
      version.value = told.version;
    } catch {
      // keys are shown until the next try
    } finally {
      asking = false;
    }
  }

  /** The name of a row; its key where nobody has given it one. */
  function of(kind: Kind, key: string | null | undefined): string {
    if (!key) return "";
    const name = named.value[kind]?.[key];
    if (!name && Date.now() - asked > AGAIN_MS) queueMicrotask(() => void load());
    return name || key;
  }

  /** `1002 王五`: with the key, where people use it themselves. */
  function spoken(kind: "agents" | "numbers", key: string | null | undefined): string {
    const name = of(kind, key);
    return name && key && name !== key ? `${key} ${name}` : name;
  }

  /** Whom an agent brings into a talk: an emergency centre or a partner. */
  const target = (key: string | null | undefined): string => of("partners", key);

  return { named, version, load, of, spoken, target };
});
