import { describe, expect, it } from "vitest";
import { byKind, byReason, doctorStep, type SampleRow } from "./model";

const row = (kind_name: string, key: string, name = "", why = ""): SampleRow => ({
  kind: "x", kind_name, key, name, words: `${kind_name} ${key}`, ...(why ? { why } : {}),
});

describe("the doctor's step", () => {
  const good = { subject: "端口", level: "正常", message: "空闲" };
  const note = { subject: "数据目录", level: "注意", message: "请扩容" };
  const fault = { subject: "数据库", level: "故障", message: "连不上" };

  it("is to be done while there is a fault, which comes first", () => {
    const step = doctorStep([good, note, fault]);
    expect([step.state, step.details]).toEqual(["todo", ["数据库：连不上", "数据目录：请扩容"]]);
  });

  it("is advice with notes alone, and done without", () => {
    expect(doctorStep([good, note]).state).toBe("advice");
    expect(doctorStep([good]).state).toBe("done");
  });
});

describe("sample rows", () => {
  it("are put together by kind, and called as people call them", () => {
    const rows = [row("话机", "8001"), row("线路", "utility-gas", "燃气"), row("话机", "8002"), row("座席人员", "1001", "座席1001"), { ...row("公告", "power", "正在抢修。"), kind: "announcements" }];
    expect(byKind(rows)).toEqual([
      { name: "话机", words: "8001、8002", count: 2 },
      { name: "线路", words: "燃气", count: 1 },
      { name: "座席人员", words: "1001", count: 1 },
      { name: "公告", words: "“正在抢修。”", count: 1 },
    ]);
    expect(byKind([{ ...row("归并号码", "12333", "人社"), kind: "numbers" }])[0]?.words).toBe("12333 人社");
  });

  it("that stay are put together by reason", () => {
    const kept = [row("话机", "8001", "", "先留着"), row("话机", "8002", "", "先留着"), row("班表", "daily", "每天", "回拨 还在用它")];
    expect(byReason(kept)).toEqual([
      { why: "先留着", words: "话机 8001、8002", count: 2 },
      { why: "回拨 还在用它", words: "班表 每天", count: 1 },
    ]);
  });
});
