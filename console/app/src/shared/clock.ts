/** One clock for the whole page, four times a second: whoever shows a duration reads it. */

import { readonly, ref } from "vue";

const STEP_MS = 250;

const ticking = ref(Date.now());
setInterval(() => (ticking.value = Date.now()), STEP_MS);

/** This machine's unix ms, ticking. */
export const now = readonly(ticking);
