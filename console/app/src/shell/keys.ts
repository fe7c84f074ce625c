/** Keyboard shortcuts: each page says its own, all of them act from anywhere on it, and `?` lists them. */

import { onScopeDispose, shallowReactive } from "vue";

export interface Shortcut {
  /** As people write it: `Ctrl+Alt+1`, `F2`, `?`. */
  keys: string;
  what: string;
  do: () => void;
  /** Also while somebody types in a field; those without Ctrl, Alt or an F-key never do unless this says so. */
  whileTyping?: boolean;
}

export const shortcuts = shallowReactive(new Set<Shortcut>());

/** Shortcuts that hold for as long as the component is mounted. */
export function useKeys(...given: readonly Shortcut[]): void {
  for (const one of given) shortcuts.add(one);
  onScopeDispose(() => given.forEach((one) => shortcuts.delete(one)));
}

/** As a person would write what was pressed. Digits are told by their place on the keyboard: Ctrl+Alt may change the sign. */
export function pressed(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "altKey" | "shiftKey">): string {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const modified = event.ctrlKey || event.altKey;
  const sign = modified && digit ? digit : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const names = [event.ctrlKey && "Ctrl", event.altKey && "Alt", event.shiftKey && (modified || event.key.length > 1) && "Shift"];
  return [...names.filter(Boolean), sign].join("+");
}

function typing(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement && /^(radio|checkbox|button)$/.test(target.type)) return false;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function free(keys: string): boolean {
  return /^(Ctrl\+|Alt\+|F\d)/.test(keys);
}

window.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing) return;
  const keys = pressed(event);
  const found = [...shortcuts].find((one) => one.keys.toUpperCase() === keys.toUpperCase());
  if (!found || (typing(event.target) && !free(found.keys) && !found.whileTyping)) return;
  event.preventDefault();
  found.do();
});
