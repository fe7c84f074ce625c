/** Who is signed in, and what they may do. */

import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { get, post, Refused, useCsrf } from "./http";

export type Role = "agent" | "supervisor" | "admin" | "auditor";
export type Scope = "all" | "own";

export interface Me {
  user: string;
  name: string;
  roles: Role[];
  /** 工号; empty: none. */
  agent: string;
  rights: Record<string, Scope>;
  must_change: boolean;
  totp: boolean;
  /** Nothing else is open before a second factor is set up. */
  must_totp: boolean;
  csrf: string;
}

export const useSession = defineStore("session", () => {
  const me = ref<Me | null>(null);
  const known = ref(false);

  function take(now: Me | null): void {
    me.value = now;
    known.value = true;
    useCsrf(now?.csrf ?? "");
  }

  /** Asks once after the page was loaded; the cookie may still be good. */
  async function learn(): Promise<void> {
    if (known.value) return;
    try {
      take(await get<Me>("/api/session"));
    } catch (error) {
      if (error instanceof Refused && error.status !== 401) throw error;
      take(null);
    }
  }

  async function signIn(user: string, password: string, code: string): Promise<void> {
    take(await post<Me>("/api/session", { user, password, code }));
  }

  async function signOut(): Promise<void> {
    await post("/api/session/end");
    take(null);
  }

  /** Ends this and every other sign-in of the user: they come again with the new password. */
  async function changePassword(old: string, fresh: string): Promise<void> {
    await post("/api/session/password", { old, new: fresh });
    take(null);
  }

  const may = (right: string): boolean => right in (me.value?.rights ?? {});
  const mayAll = (right: string): boolean => me.value?.rights[right] === "all";

  return { me: computed(() => me.value), known, take, learn, signIn, signOut, changePassword, may, mayAll };
});
