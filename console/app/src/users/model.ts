/** People, programs and rights as the engine tells them. */

import type { Role, Scope } from "@/api/session";

export interface User {
  user: string;
  name: string;
  roles: Role[];
  agent: string;
  must_change: boolean;
  /** Until when a password that somebody else has set is good. */
  one_time_until: string | null;
  disabled: boolean;
  totp: boolean;
  signed_in_at: string | null;
  /** Shut after wrong tries. */
  locked_until: string | null;
  /** Browsers that are signed in now. */
  sessions: number;
}

export interface Client {
  id: string;
  name: string;
  rights: string[];
  created_by: string;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
}

export interface RightRow {
  right: string;
  /** What it opens, in Chinese. */
  what: string[];
  roles: Partial<Record<Role, Scope>>;
  /** Whether a program may be given it. */
  program: boolean;
}

export interface Rights {
  roles: { role: Role; name: string }[];
  rights: RightRow[];
  /** What the city has decided; by settings. */
  policy: { roles_may_mix: boolean; second_person: boolean; second_factor_roles: Role[]; one_time_password_hours: number } | null;
}
