/** Every page of the console, once: where it is, what it is called, which right opens it. The menu is made of this. */

import type { Component } from "vue";
import type { Me, Role } from "./api/session";

export interface Page {
  path: string;
  title: string;
  /** In the menu under this heading. */
  group: "座席" | "班长" | "来电" | "管理" | "帮助";
  /** The right without which it is neither shown nor opened. */
  right: string;
  view: () => Promise<{ default: Component }>;
  /** Roles that begin their work here. */
  home?: readonly Role[];
}

export const pages: readonly Page[] = [
  { path: "/desk", title: "座席", group: "座席", right: "agents.act", view: () => import("./desk/Desk.vue"), home: ["agent"] },
  {
    path: "/floor", title: "现场", group: "班长", right: "supervise", home: ["supervisor"],
    view: () => import("./floor/Floor.vue"),
  },
  { path: "/work", title: "待办", group: "班长", right: "work.hand", view: () => import("./work/Work.vue") },
  { path: "/drills", title: "演练", group: "班长", right: "drills.read", view: () => import("./drills/Drills.vue") },
  { path: "/wall", title: "大屏", group: "班长", right: "status.read", view: () => import("./wall/Wall.vue") },
  { path: "/charts", title: "统计与排班", group: "班长", right: "status.read", view: () => import("./charts/Charts.vue") },
  { path: "/reports", title: "报表", group: "班长", right: "reports.read", view: () => import("./reports/Reports.vue") },
  { path: "/calls", title: "来电记录", group: "来电", right: "calls.read", view: () => import("./calls/Calls.vue"), home: ["auditor"] },
  { path: "/setup", title: "首次设置", group: "管理", right: "setup", view: () => import("./setup/Setup.vue") },
  { path: "/routing", title: "路由表", group: "管理", right: "routing.read", home: ["admin"], view: () => import("./routing/Routing.vue") },
  { path: "/prompts", title: "提示音", group: "管理", right: "prompts.read", view: () => import("./prompts/Prompts.vue") },
  { path: "/phones", title: "话机与线路", group: "管理", right: "agents.pin", view: () => import("./phones/Phones.vue") },
  { path: "/users", title: "用户与权限", group: "管理", right: "users", view: () => import("./users/Users.vue") },
  { path: "/audit", title: "审计", group: "管理", right: "audit.read", view: () => import("./audit/Audit.vue") },
  { path: "/health", title: "诊断", group: "管理", right: "metrics.read", view: () => import("./health/Health.vue") },
  { path: "/manual", title: "手册", group: "帮助", right: "live.read", view: () => import("./manual/Manual.vue") },
];

/** Where somebody begins; nothing: no page is theirs. */
export function home(me: Me): string | undefined {
  const open = pages.filter((page) => page.right in me.rights);
  return (open.find((page) => page.home?.some((role) => me.roles.includes(role))) ?? open[0])?.path;
}
