/** One tab of a browser has the phone; the others wait, and may take it over. */

const NAME = "hotline-phone";

/** Held until ``release``; ``lost`` is called when another tab has taken it. */
export class TabLock {
  private letGo: (() => void) | null = null;
  private waiting: AbortController | null = null;

  /** True at once when no other tab has it; else false, and ``later`` is called when it becomes free. */
  async take(lost: () => void, later: () => void): Promise<boolean> {
    if (await this.request({ ifAvailable: true }, lost)) return true;
    this.wait(lost, later);
    return false;
  }

  /** ``later`` is called when the tab that has it lets it go. */
  wait(lost: () => void, later: () => void): void {
    this.waiting?.abort();
    const waiting = (this.waiting = new AbortController());
    void this.request({ signal: waiting.signal }, lost).then((got) => got && later());
  }

  /** Whoever has it loses it. */
  async steal(lost: () => void): Promise<void> {
    this.waiting?.abort();
    await this.request({ steal: true }, lost);
  }

  release(): void {
    this.waiting?.abort();
    this.waiting = null;
    this.letGo?.();
    this.letGo = null;
  }

  private request(options: LockOptions, lost: () => void): Promise<boolean> {
    return new Promise((got) => {
      let mine = false;
      navigator.locks
        .request(NAME, options, (lock) => {
          if (!lock) return void got(false);
          mine = true;
          const kept = new Promise<void>((letGo) => (this.letGo = letGo));
          got(true);
          return kept;
        })
        .catch(() => {
          // Stolen, or no longer waited for.
          if (mine) lost();
          else got(false);
        });
    });
  }
}
