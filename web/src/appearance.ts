// How the host wants the page to look, and how high the page is.

import type { Bridge, HostContext } from "./bridge";

/** Takes over the host's colours, fonts and theme. */
export function dress(context: HostContext): void {
  const root = document.documentElement;
  if (context.theme) {
    root.dataset.theme = context.theme;
    root.style.colorScheme = context.theme;
  }
  for (const [name, value] of Object.entries(context.styles?.variables ?? {}))
    if (name.startsWith("--") && typeof value === "string") root.style.setProperty(name, value);
}

/** Tells the host the page's height whenever it has changed. */
export class Height {
  private last = 0;

  constructor(private readonly bridge: Bridge) {
    new ResizeObserver(() => this.tell()).observe(document.documentElement);
  }

  /** To be called after each draw: the observer sleeps while the page is out of sight. */
  tell(): void {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === 0 || height === this.last) return;
    this.last = height;
    this.bridge.notify("ui/notifications/size-changed", { height });
  }
}
