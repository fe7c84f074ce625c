/** The line of the phone: SIP in a WebSocket of the engine's, opened with a password that is good for one time. */

import { post, Refused, Unreachable } from "@/api/http";

export interface Credentials {
  readonly seat: string;
  readonly uri: string;
  readonly user: string;
  readonly password: string;
  readonly socket: string;
}

/** Close codes of the engine's. */
const ELSEWHERE = 4001;
const SIGNED_OUT = 4002;

/** Why the line is not there. */
export type Ending = { readonly why: "cut" | "elsewhere" | "signed-out" | "refused"; readonly words: string };

/** A socket as JsSIP wants one; JsSIP says when to try again. */
export class Wire {
  readonly via_transport = "WS";
  readonly sip_uri = "sip:hotline.invalid;transport=ws";
  readonly url: string;
  private socket: WebSocket | null = null;
  private asking = false;
  private closed = false;
  /** Counts tries, so that the answer to an old one is not taken for the new one's. */
  private round = 0;

  // JsSIP puts its own in their place.
  onconnect: () => void = () => {};
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => {};
  ondata: <T>(data: T) => void = () => {};

  constructor(
    private readonly path: string,
    private readonly granted: (credentials: Credentials) => void,
    private readonly ended: (ending: Ending) => void,
    private readonly wish: object = {},
  ) {
    this.url = `${location.origin.replace(/^http/, "ws")}${path}`;
  }

  connect(): void {
    if (this.closed || this.isConnected() || this.isConnecting()) return;
    void this.open(++this.round);
  }

  /** For good, whatever JsSIP still wants of it. */
  close(): void {
    this.closed = true;
    this.disconnect();
  }

  disconnect(): void {
    this.round++;
    this.asking = false;
    const before = this.socket;
    this.socket = null;
    before?.close();
  }

  send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(String(message));
    return true;
  }

  isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  isConnecting(): boolean {
    return this.asking || this.socket?.readyState === WebSocket.CONNECTING;
  }

  /** The line is no use although it is open: begin anew, with another password. */
  drop(): void {
    this.socket?.close();
  }

  private async open(round: number): Promise<void> {
    this.asking = true;
    try {
      const credentials = await post<Credentials>(`${this.path}/credentials`, this.wish);
      if (round !== this.round) return;
      this.granted(credentials);
    } catch (error) {
      if (round !== this.round) return;
      this.asking = false;
      this.lost(refusal(error));
      return;
    }
    this.asking = false;
    const mine = new WebSocket(this.url, "sip");
    this.socket = mine;
    mine.onopen = () => mine === this.socket && this.onconnect();
    mine.onmessage = (event) => mine === this.socket && this.ondata(event.data as string);
    mine.onclose = ({ code }) => {
      if (mine !== this.socket) return;
      this.socket = null;
      if (code === ELSEWHERE) this.lost({ why: "elsewhere", words: "" });
      else if (code === SIGNED_OUT) this.lost({ why: "signed-out", words: "登录已结束，请重新登录" });
      else this.lost({ why: "cut", words: "" });
    };
  }

  private lost(ending: Ending): void {
    this.ended(ending);
    this.ondisconnect(true, 0, ending.why);
  }
}

function refusal(error: unknown): Ending {
  if (error instanceof Unreachable || !(error instanceof Refused)) return { why: "cut", words: "" };
  return { why: error.status === 401 ? "signed-out" : "refused", words: error.message };
}
