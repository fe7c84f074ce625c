/** What a supervisor does to a callback, a message or an urgent order: each with a reason, which is kept. */

import { post } from "@/api/http";
import { askReason, done, tell } from "@/shared/tell";
import type { Item } from "./model";

/** Does it and says so; in words why not. */
export async function act(path: string, body: object, said: string): Promise<boolean> {
  try {
    await post(path, body);
    done(said);
    return true;
  } catch (error) {
    tell(error);
    return false;
  }
}

export function path(one: Item, what: string): string {
  return `/api/${one.kind}s/${encodeURIComponent(one.id)}/${what}`;
}

/** A message is taken by whoever asks; the system gives callbacks to agents itself, and departments take orders. */
export async function takeMessage(one: Item, agent: string): Promise<boolean> {
  if (!agent) {
    tell("您的用户没有设工号，不能领取；可以转给一位座席，或请管理员补上工号");
    return false;
  }
  const reason = await askReason("领取留言", "由您处理；其他座席的待办里不再出现。");
  return reason !== null && (await act(path(one, "hand"), { agent, reason }, "已领取，由您处理"));
}

/** Ends it: done, or not wanted any more. */
export async function close(one: Item, agent: string): Promise<boolean> {
  if (one.kind === "callback") {
    const reason = await askReason("取消回拨", "不再回拨这位市民。正在呼叫的不能取消。");
    return reason !== null && (await act(path(one, "cancel"), { reason }, "回拨已取消"));
  }
  if (one.kind === "order") {
    const reason = await askReason(`办结工单 ${one.id}`, "处置结果，已通知的部门会收到：");
    return reason !== null && (await act(path(one, "close"), { reason }, `工单 ${one.id} 已办结`));
  }
  if (!agent) {
    tell("您的用户没有设工号，不能办结留言；请管理员补上工号");
    return false;
  }
  const reason = await askReason("办结留言", "处理结果：");
  return reason !== null && (await act(path(one, "close"), { agent, reason }, "留言已办结"));
}

export async function cancelOrder(one: Item): Promise<boolean> {
  const reason = await askReason(`撤销工单 ${one.id}`, "误报、重复的撤销；已通知的部门会收到。");
  return reason !== null && (await act(path(one, "cancel"), { reason }, `工单 ${one.id} 已撤销`));
}

/** The citizen's number in full, once the reason is written down; null: thought better of it, or refused. */
export async function reveal(one: Item): Promise<string | null> {
  const reason = await askReason("看完整号码", "谁看了谁的号码、为什么，都会写入审计记录。");
  if (reason === null) return null;
  const where = one.kind === "order" ? `/api/calls/${one.call}/reveal` : path(one, "reveal");
  try {
    return (await post<{ number: string }>(where, { reason })).number || "号码未显示";
  } catch (error) {
    tell(error);
    return null;
  }
}

/** The address from which a message may be heard, once the reason is written down. */
export async function hear(one: Item): Promise<string | null> {
  const reason = await askReason("听留言", "谁听了哪条留言、为什么听，都会写入审计记录。");
  if (reason === null) return null;
  try {
    return (await post<{ sound: string }>(path(one, "look"), { reason })).sound;
  } catch (error) {
    tell(error);
    return null;
  }
}
