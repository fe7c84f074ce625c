import { describe, expect, it } from "vitest";
import { isKey, stateOf, wordsOf, type Moment } from "./model";

const idle: Moment = { line: "open", call: "none", held: false, muted: false, silent: false, resuming: false, fault: "" };

describe("the state of the phone", () => {
  it("is the line's while there is no call", () => {
    const states = (["off", "connecting", "open", "cut", "elsewhere", "refused"] as const).map((line) =>
      stateOf({ ...idle, line }),
    );
    expect(states).toEqual(["off", "connecting", "ready", "connecting", "elsewhere", "failed"]);
  });

  it("is the call's while there is one, whatever the line does", () => {
    expect(stateOf({ ...idle, call: "ringing", line: "cut" })).toBe("ringing");
    expect(stateOf({ ...idle, call: "talking", line: "cut" })).toBe("talking");
    expect(stateOf({ ...idle, call: "talking", held: true })).toBe("held");
  });

  it("has failed when there is no microphone, though the line is open", () => {
    expect(stateOf({ ...idle, fault: "没有麦克风" })).toBe("failed");
  });
});

describe("the words", () => {
  it("say in a talk that the line is cut and the sound is not", () => {
    expect(wordsOf({ ...idle, call: "talking" })).toBe("通话中");
    expect(wordsOf({ ...idle, call: "talking", line: "cut" })).toContain("正在重连，声音不受影响");
    expect(wordsOf({ ...idle, call: "talking", muted: true })).toContain("静音");
  });

  it("do not promise a sound that is not there", () => {
    expect(wordsOf({ ...idle, call: "talking", line: "cut", silent: true })).toContain("正在重连，听不到对方的声音");
    expect(wordsOf({ ...idle, call: "talking", silent: true })).toContain("听不到对方的声音");
  });

  it("tell the engine's own sentence when it refused", () => {
    expect(wordsOf({ ...idle, line: "refused", fault: "本系统没有启用网页电话" })).toBe("本系统没有启用网页电话");
  });

  it("say that the talk of before a reload is being fetched back", () => {
    expect(wordsOf({ ...idle, resuming: true })).toContain("接回");
  });

  it("are there in every state", () => {
    for (const line of ["off", "connecting", "open", "cut", "elsewhere"] as const)
      for (const call of ["none", "ringing", "talking"] as const) expect(wordsOf({ ...idle, line, call })).not.toBe("");
  });
});

describe("keys", () => {
  it("are those of a telephone", () => {
    expect(["1", "*", "#", "0"].every(isKey)).toBe(true);
    expect(["", "a", "12", "+"].some(isKey)).toBe(false);
  });
});
