import { expect, test } from "vitest";
import { blocksOf, found, partsOf, sectionsOf, wordsOf } from "./markdown";

const TEXT = `# 手册

开头一段，
分两行。

## 签入

- 拨 \\*11，按 **签入**
- 用 \`F8\` 示闲
  接着写

| 键 | 作用 |
|---|---|
| F9 | 示忙 |

![图](images/x.png)

1. 先这样
2. 再那样

\`\`\`
./hotline status
\`\`\`
`;

test("each kind of block is read, and pictures are left out", () => {
  const blocks = blocksOf(TEXT);
  expect(blocks.map((one) => one.kind)).toEqual(["heading", "paragraph", "heading", "list", "table", "list", "code"]);
  expect(blocks[1]).toMatchObject({ parts: [{ text: "开头一段，分两行。" }] });
  expect(blocks[3]).toMatchObject({ ordered: false, items: [[{ text: "拨 *11，按 " }, { kind: "strong", text: "签入" }], [{}, { kind: "code", text: "F8" }, {}]] });
  expect(blocks[4]).toMatchObject({ head: [[{ text: "键" }], [{ text: "作用" }]], rows: [[[{ text: "F9" }], [{ text: "示忙" }]]] });
  expect(blocks[6]).toEqual({ kind: "code", text: "./hotline status" });
});

test("markup stays text, and a link is its words", () => {
  expect(wordsOf(partsOf("<img src=x> [看这里](x.md)"))).toBe("<img src=x> 看这里");
});

test("sections are found by all words, titles first", () => {
  const sections = sectionsOf("座席", TEXT);
  expect(sections.map((one) => one.title)).toEqual(["手册", "签入"]);
  expect(found(sections, "示忙 f9").map((one) => one.title)).toEqual(["签入"]);
  expect(found(sections, "没有这个词")).toEqual([]);
});
