/** Wishes as the engine tells them. */

export type ApprovalState = "asked" | "approved" | "rejected" | "done" | "alone";

export interface Approval {
  id: number;
  kind: "add" | "role" | "reset" | "client";
  subject: string;
  asker: string;
  asked_by: string;
  reason: string;
  asked_at: string;
  state: ApprovalState;
  decided_by: string;
}

export const STATES: Readonly<Record<ApprovalState, string>> = {
  asked: "待核准",
  approved: "已核准，待申请人执行",
  rejected: "已驳回",
  done: "已执行",
  alone: "已执行，没有第二人核准",
};

/** What is said when a deed waits for a second person. */
export function waitsText(one: Approval): string {
  return `已提出申请 ${one.id}：${one.subject}。请另一位管理员或审计员在「审计」页的「核准」里核准，之后由您在那里执行`;
}
