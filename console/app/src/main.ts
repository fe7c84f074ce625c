import { provideGlobalConfig } from "element-plus";
import zhCn from "element-plus/es/locale/lang/zh-cn";
import { createPinia } from "pinia";
import { createApp } from "vue";
import { RouterView } from "vue-router";
import "element-plus/dist/index.css";
import "./style.css";
import { router } from "./router";

const app = createApp(RouterView).use(createPinia()).use(router);
provideGlobalConfig({ locale: zhCn }, app, true);
app.mount("#app");
