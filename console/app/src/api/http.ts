/** Asking the engine: JSON there and back, refusals as Chinese sentences. */

const SLOWEST_MS = 20_000;
const SLOWEST_FILE_MS = 120_000;
/** A table that takes effect: its new prompts are spoken first. A little longer than the command waits. */
const SLOWEST_PUBLISH_MS = 130_000;

/** The engine said no; the message is a Chinese sentence that says what to do. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** The engine did not answer at all. */
export class Unreachable extends Refused {
  constructor() {
    super(0, "连不上热线系统：请检查网络；电话不受影响，恢复后会自动重连");
  }
}

let csrf = "";
let signedOut: () => void = () => {};

/** The token that each request which changes something must carry; part of who is signed in. */
export function useCsrf(token: string): void {
  csrf = token;
}

/** What to do when the engine says that nobody is signed in. */
export function onSignedOut(act: () => void): void {
  signedOut = act;
}

/** The engine has said in another way that nobody is signed in here any more. */
export function sessionOver(): void {
  signedOut();
}

export function get<T>(path: string, query: Query = {}): Promise<T> {
  return asked<T>(withQuery(path, query), { method: "GET" });
}

/** The address with what is asked; empty values are left out. */
export function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) => (value === undefined || value === "" ? [] : [[key, `${value}`]])),
  ).toString();
  return text ? `${path}?${text}` : path;
}

export function post<T>(path: string, body: object = {}, slowest = SLOWEST_MS): Promise<T> {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return asked<T>(path, { method: "POST", headers, body: JSON.stringify(body) }, slowest);
}

/** What puts another routing table in force. */
export function putInForce<T>(path: string, body: object): Promise<T> {
  return post<T>(path, body, SLOWEST_PUBLISH_MS);
}

/** A file as it is, to a door that takes one. */
export function upload<T>(path: string, file: Blob, query: Query = {}): Promise<T> {
  const headers = { "Content-Type": "application/octet-stream", "X-CSRF-Token": csrf };
  return asked<T>(withQuery(path, query), { method: "POST", headers, body: file }, SLOWEST_FILE_MS);
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

async function asked<T>(path: string, init: RequestInit, slowest = SLOWEST_MS): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, credentials: "same-origin", signal: AbortSignal.timeout(slowest) });
  } catch {
    throw new Unreachable();
  }
  const told: unknown = await answer.json().catch(() => null);
  if (answer.ok) return told as T;
  const { error, ...more } = (told ?? {}) as { error?: string };
  if (answer.status === 401 && path !== "/api/session") signedOut();
  throw new Refused(answer.status, error ?? `系统没有说明原因（${answer.status}）；请稍后再试或告诉管理员`, more);
}
