// Parts that open by a click. What is in them is drawn only then, and stays open while data changes.

import { options, type ComponentChildren, type VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

interface FoldProps {
  /** Other places lead here by it. */
  id?: string;
  summary: ComponentChildren;
  /** Draws the content. */
  children: () => ComponentChildren;
  class?: string;
  open?: boolean;
  /** Whether paper shows the content, too. */
  print?: boolean;
}

const OPEN = "consortium-open";

/** The parts that are open, by their ids: one that has to be made anew, as its member has come to another
 * group, is open there, too. */
const opened = new Set<string>();
export const isOpened = (id: string): boolean => opened.has(id);

let onPaper = false;
addEventListener("beforeprint", () => (onPaper = true));
addEventListener("afterprint", () => (onPaper = false));

/** Opens the parts with these ids, the outer first, and goes to the last one that is there. */
export function openParts(...ids: string[]): void {
  drawnAtOnce(() => {
    for (const id of ids) document.dispatchEvent(new CustomEvent(OPEN, { detail: id }));
  });
  const target = ids.map((id) => document.getElementById(id)).filter((each) => each !== null).at(-1);
  const summary = target?.querySelector("summary");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target?.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  summary?.focus({ preventScroll: true });
}

/** Runs what changes the page, and has the page drawn before it returns. */
export function drawnAtOnce(change: () => void): void {
  const before = options.debounceRendering;
  options.debounceRendering = (draw) => draw();
  try {
    change();
  } finally {
    if (before) options.debounceRendering = before;
    else delete options.debounceRendering;
  }
}

export function Fold({ id, summary, children, class: name, open: first = false, print = false }: FoldProps): VNode {
  // The page may be drawn to the end only when it is printed.
  const [open, setOpen] = useState(first || isOpened(id ?? "") || (print && onPaper));
  const printing = useRef(print && onPaper);
  useEffect(() => {
    if (id === undefined || printing.current) return;
    if (open) opened.add(id);
    else opened.delete(id);
  }, [id, open]);
  // At once: an outer part that opens lets an inner one be opened in the same breath.
  useLayoutEffect(() => {
    const opened = (event: Event): void => {
      if ((event as CustomEvent<string>).detail === id) setOpen(true);
    };
    if (id) document.addEventListener(OPEN, opened);
    return () => document.removeEventListener(OPEN, opened);
  }, [id]);
  useLayoutEffect(() => {
    if (!print) return undefined;
    const before = (): void =>
      drawnAtOnce(() =>
        setOpen((now) => {
          printing.current = !now;
          return true;
        }),
      );
    const after = (): void => {
      if (printing.current) setOpen(false);
      printing.current = false;
    };
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, [print]);
  return (
    <details id={id} class={name} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {open && <div class="inside">{children()}</div>}
    </details>
  );
}
