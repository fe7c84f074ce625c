/** What people are told, and asked, in the middle of their work. */

import { ElMessage, ElMessageBox } from "element-plus";

/** Says in words what went wrong. */
export function tell(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  ElMessage({ message, type: "error", showClose: true, duration: 8000, grouping: true });
}

/** Says that it was done, and what is still wrong with it. */
export function warn(message: string): void {
  ElMessage({ message, type: "warning", showClose: true, duration: 8000, grouping: true });
}

/** Says that it was done. */
export function done(message: string): void {
  ElMessage({ message, type: "success", grouping: true });
}

/** The reason that is written down beside a deed or a look; null: thought better of it. */
export async function askReason(title: string, what: string): Promise<string | null> {
  try {
    const given = await ElMessageBox.prompt(what, title, {
      confirmButtonText: "确定",
      cancelButtonText: "取消",
      inputPlaceholder: "原因，会写入审计记录",
      inputValidator: (value) => (value.trim() ? value.trim().length <= 100 || "最多 100 个字" : "请写明原因"),
    });
    return given.value.trim();
  } catch {
    return null;
  }
}

/** Yes or no, for what cannot be taken back. */
export async function sure(title: string, what: string): Promise<boolean> {
  try {
    await ElMessageBox.confirm(what, title, { confirmButtonText: "确定", cancelButtonText: "取消", type: "warning" });
    return true;
  } catch {
    return false;
  }
}
