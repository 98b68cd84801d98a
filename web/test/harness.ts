// The page with a source that a test drives, as a host would.

import { start } from "../src/start";
import type { Capabilities, Source, View } from "../src/source";

interface Harness {
  /** Whether the page listens by now. */
  listening: boolean;
  /** Every use of a capability and of `text`. */
  used: unknown[][];
  /** Shows something newer. */
  push(shown: View["shown"], can: string[], note?: string): void;
  /** Later texts by their keys. */
  texts: Record<string, string>;
}

const listeners = new Set<(view: View) => void>();
const harness: Harness = {
  listening: false,
  used: [],
  texts: {},
  push(shown, can, note) {
    const view: View = { shown, can: capabilities(can), ...(note && { note }) };
    for (const listener of listeners) listener(view);
  },
};

function capabilities(names: string[]): Capabilities {
  const all = names.map((name) => [
    name,
    async (...args: unknown[]) => {
      harness.used.push([name, ...args]);
      if (args[0] === "fail") throw new Error("The host has refused it.");
    },
  ]);
  return Object.fromEntries(all) as Capabilities;
}

const source: Source = {
  first: { shown: null, can: {} },
  subscribe(listener) {
    listeners.add(listener);
    harness.listening = true;
    return () => listeners.delete(listener);
  },
  async text(key) {
    harness.used.push(["text", key]);
    const text = harness.texts[key];
    if (text === undefined) throw new Error(`There is no text ${key}.`);
    return text;
  },
};

(window as unknown as { harness: Harness }).harness = harness;
start(source);
