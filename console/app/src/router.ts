import { createRouter, createWebHashHistory } from "vue-router";
import { onSignedOut } from "./api/http";
import { useSession } from "./api/session";
import { home, pages } from "./pages";
import { isSetUp } from "./setup/model";

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: "/sign-in", component: () => import("./shell/SignIn.vue"), meta: { title: "登录" } },
    { path: "/trouble", component: () => import("./shell/Trouble.vue"), meta: { title: "连不上系统" } },
    { path: "/password", component: () => import("./shell/NewPassword.vue"), meta: { title: "改密码" } },
    {
      path: "/",
      component: () => import("./shell/Shell.vue"),
      children: [
        ...pages.map((page) => ({ path: page.path, component: page.view, meta: { title: page.title, right: page.right } })),
        { path: "/totp", component: () => import("./shell/SecondFactor.vue"), meta: { title: "动态口令" } },
        { path: "", component: () => import("./shell/Nowhere.vue") },
        { path: ":rest(.*)*", component: () => import("./shell/Nowhere.vue"), meta: { title: "没有这个页面" } },
      ],
    },
  ],
});

router.beforeEach(async (to) => {
  const session = useSession();
  if (to.path === "/trouble") return true;
  try {
    await session.learn();
  } catch (error) {
    return { path: "/trouble", query: { next: to.fullPath, why: error instanceof Error ? error.message : String(error) } };
  }
  if (to.path === "/sign-in") return session.me && !session.me.must_change ? "/" : true;
  if (!session.me) return { path: "/sign-in", query: to.path === "/" ? {} : { next: to.fullPath } };
  if (session.me.must_change && to.path !== "/password") return "/password";
  if (!session.me.must_change && session.me.must_totp && to.path !== "/totp") return "/totp";
  if (to.path === "/") return (session.may("setup") && !(await isSetUp()) ? "/setup" : home(session.me)) ?? true;
  const right = to.meta["right"];
  return typeof right !== "string" || session.may(right) ? true : "/";
});

router.afterEach((to) => {
  document.title = `${(to.meta["title"] as string | undefined) ?? "控制台"} · 12345 热线`;
});

onSignedOut(() => {
  const session = useSession();
  if (!session.me) return;
  session.take(null);
  void router.push({ path: "/sign-in", query: { next: router.currentRoute.value.fullPath, why: "over" } });
});
