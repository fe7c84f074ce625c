import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { gzipSync } from "node:zlib";
import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const SMALLEST_WORTH_PACKING = 1024; // bytes; below it the header of a gzip file is not worth it

/** Leaves `x.js.gz` beside `x.js`: the engine sends it as it is. */
function packed(): Plugin {
  let out = "";
  return {
    name: "packed",
    apply: "build",
    configResolved(config) {
      out = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(out, { recursive: true, encoding: "utf-8" })) {
        const path = join(out, name);
        if (!/\.(js|css|html|svg)$/.test(name) || statSync(path).size < SMALLEST_WORTH_PACKING) continue;
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [vue(), packed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: { environment: "happy-dom" },
  server: { proxy: { "/api": { target: process.env["HOTLINE_WEB"] ?? "http://127.0.0.1:8080", ws: true } } },
});
