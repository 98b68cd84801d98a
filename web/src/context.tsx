// What all parts of the page need: the source, what it can do, and which members the run has.

import { createContext, type ComponentChildren, type VNode } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Capabilities, Source } from "./source";
import type { PageMember, RunPage, Text } from "./types";

export interface Shared {
  source: Source;
  can: Capabilities;
  /** Members by their labels. */
  members: ReadonlyMap<string, PageMember>;
  labels: ReadonlySet<string>;
  /** Of the run that is drawn: nested ones are on the same page. */
  prefix: string;
}

export const Context = createContext<Shared>(null as unknown as Shared);
export const useShared = (): Shared => useContext(Context);

export function sharedOf(page: RunPage, source: Source, can: Capabilities, prefix: string): Shared {
  const members = new Map(page.members.map((member) => [member.label, member]));
  return { source, can, members, labels: new Set(members.keys()), prefix };
}

/** A text in full, wherever it is. `null` while it is on its way. */
export function useText(text: Text, wanted = true): { text: string | null; error: string | null } {
  const { source } = useShared();
  const key = typeof text === "string" ? null : text.key;
  const [found, setFound] = useState<{ key: string; text: string } | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    if (key === null || !wanted || found?.key === key) return undefined;
    let alive = true;
    setError(null);
    fullText(source, text).then(
      (full) => alive && setFound({ key, text: full }),
      (problem: unknown) => alive && setError(problem instanceof Error ? problem.message : String(problem)),
    );
    return () => {
      alive = false;
    };
  }, [key, wanted]);
  if (typeof text === "string") return { text, error: null };
  return { text: found?.key === key ? found.text : null, error };
}

/** A text in full. */
export async function fullText(source: Source, text: Text): Promise<string> {
  return typeof text === "string" ? text : source.text(text.key);
}

/** A part of the run. It is a landmark where it has a name, in the page's own run: one of each. */
export function Region({ name, class: kind, children }: { name?: string; class?: string; children: ComponentChildren }): VNode {
  const { prefix } = useShared();
  const landmark = name !== undefined && prefix === "";
  const Name = landmark ? "section" : "div";
  return <Name class={kind} aria-label={landmark ? name : undefined}>{children}</Name>;
}
