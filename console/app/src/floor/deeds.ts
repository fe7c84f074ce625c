/** What a supervisor does: each with a reason, which is kept. */

import { post } from "@/api/http";
import { askReason, done, tell } from "@/shared/tell";
import type { Agent } from "./order";

export type Join = "listen" | "whisper" | "barge" | "take-over";
export type Force = "ready" | "paused" | "signed-out";

export const JOINS: Readonly<Record<Join, string>> = { listen: "监听", whisper: "密语", barge: "强插", "take-over": "接管" };
export const FORCES: Readonly<Record<Force, string>> = { paused: "强制示忙", ready: "强制示闲", "signed-out": "强制签出" };

/** Asks for the reason, does it, says that it is done, or in words why not. */
async function deed(title: string, what: string, path: string, body: object, said: (told: Told) => string): Promise<void> {
  const reason = await askReason(title, what);
  if (reason === null) return;
  try {
    done(said(await post<Told>(path, { ...body, reason })));
  } catch (error) {
    tell(error);
  }
}

interface Told {
  seat?: string;
  moved?: number;
}

const who = (agent: Agent): string => `${agent.id} ${agent.name}`.trim();

export async function join(how: Join, agent: Agent, supervisor: string): Promise<void> {
  if (!supervisor) return tell("您的用户没有设工号，不能加入通话；请管理员补上工号，并在话机上签入");
  await deed(`${JOINS[how]} ${who(agent)}`, "您的话机会振铃，接起即加入。", `/api/supervise/${how}`, { agent: agent.id, supervisor }, (told) =>
    `话机 ${told.seat} 正在振铃，请接起`,
  );
}

export function force(to: Force, agent: Agent): Promise<void> {
  const what = agent.call ? "正在通话：通话结束后生效。" : "立即生效。";
  return deed(`${FORCES[to]} ${who(agent)}`, what, "/api/supervise/force", { agent: agent.id, to }, () => `${who(agent)}：${FORCES[to]}`);
}

const EXTRA_SECONDS = 60;

export const WRAP_UPS = { extend: `延长整理 ${EXTRA_SECONDS} 秒`, end: "结束整理" } as const;
export type WrapUpDeed = keyof typeof WRAP_UPS;

/** Of an agent's wrap-up: more time, or none. It needs no reason: nobody is taken out of anything. */
export function wrapUp(what: WrapUpDeed, agent: Agent): Promise<boolean> {
  const body = what === "end" ? { end: true } : { extend_seconds: EXTRA_SECONDS };
  return sent(`/api/agents/${agent.id}/wrap-up`, body, () => `${who(agent)}：已${WRAP_UPS[what]}`);
}

export function openGroup(group: string, name: string): Promise<void> {
  return deed(`重新开放 ${name}`, "新来电重新进入这个技能组。", "/api/supervise/open", { group }, () => `${name} 已开放`);
}

export function announce(raise: boolean, announcement: string, text: string): Promise<void> {
  const path = `/api/announcements/${raise ? "raise" : "stop"}`;
  return deed(raise ? "播给所有来电" : "停止播报", `“${text}”`, path, { announcement }, () => (raise ? "已开始播报" : "已停止播报"));
}

export async function move(group: string, to: string, call: string, reason: string): Promise<boolean> {
  return sent("/api/supervise/move", { group, to, reason, ...(call ? { call } : {}) }, (told) => `已移动 ${told.moved ?? 0} 个来电`);
}

export async function closeGroup(group: string, waiting: "stay" | "move", reason: string): Promise<boolean> {
  return sent("/api/supervise/close", { group, waiting, reason }, (told) => `已关闭，移动了 ${told.moved ?? 0} 个排队的来电`);
}

async function sent(path: string, body: object, said: (told: Told) => string): Promise<boolean> {
  try {
    done(said(await post<Told>(path, body)));
    return true;
  } catch (error) {
    tell(error);
    return false;
  }
}
