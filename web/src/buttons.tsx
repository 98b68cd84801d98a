// Copying and saving, which the browser may refuse.

import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";

/** Puts a text on the clipboard; where that is refused, selects it in a field to be copied by hand. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "offscreen";
    field.setAttribute("aria-hidden", "true");
    document.body.append(field);
    field.select();
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    } finally {
      field.remove();
    }
  }
}

type Get = () => string | Promise<string>;

export function CopyButton({ text, what, children }: { text: Get; what: string; children?: string }): VNode {
  const [by, setBy] = useState<{ said: string; hand?: string } | null>(null);
  const click = async (): Promise<void> => {
    const full = await text();
    const done = await copy(full);
    setBy(done ? { said: "Copied" } : { said: "Copy it here", hand: full.slice(0, 200_000) });
    if (done) setTimeout(() => setBy(null), 2000);
  };
  const label = by?.hand !== undefined ? "Close" : (by?.said ?? children ?? "Copy");
  return (
    <>
      <button type="button" aria-label={children === undefined ? `${label} ${what}` : undefined} onClick={() => (by?.hand === undefined ? void click() : setBy(null))}>
        {label}
      </button>
      {by?.hand !== undefined && <textarea class="by-hand" readOnly aria-label={`To copy: ${what}`} value={by.hand} onFocus={(event) => event.currentTarget.select()} />}
    </>
  );
}

/** A button that begins something, and says when that failed. */
export function ActionButton({ act, children, class: name }: { act: () => Promise<void> | void; children: ComponentChildren; class?: string }): VNode {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const click = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" class={name} disabled={busy} onClick={() => void click()}>{children}</button>
      {error !== null && <span class="problem" role="alert">{error}</span>}
    </>
  );
}

/** Saves a text as a file, by the browser. */
export async function download(name: string, type: string, text: string): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
