import { expect, it } from "vitest";
import { pressed } from "./keys";

const key = (more: Partial<KeyboardEvent>) => ({ key: "", code: "", ctrlKey: false, altKey: false, shiftKey: false, ...more });

it.each([
  [{ key: "¡", code: "Digit1", ctrlKey: true, altKey: true }, "Ctrl+Alt+1"],
  [{ key: "1", code: "Numpad1", ctrlKey: true, altKey: true }, "Ctrl+Alt+1"],
  [{ key: "F2", code: "F2" }, "F2"],
  [{ key: "?", code: "Slash", shiftKey: true }, "?"],
  [{ key: "a", code: "KeyA" }, "A"],
  [{ key: "Enter", code: "Enter", shiftKey: true }, "Shift+Enter"],
])("tells what was pressed: %o", (event, words) => {
  expect(pressed(key(event))).toBe(words);
});
