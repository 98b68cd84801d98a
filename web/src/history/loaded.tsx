// What is read from the server before it is drawn.

import type { ComponentChildren, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api";

interface Found<T> {
  value: T | null;
  error: string | null;
}

/** Reads from the server, and again whenever the address changes. */
export function useLoaded<T>(path: string, query: Record<string, string> = {}): Found<T> {
  const [found, setFound] = useState<Found<T>>({ value: null, error: null });
  const key = JSON.stringify([path, query]);
  useEffect(() => {
    const end = new AbortController();
    ask<T>(path, query, undefined, end.signal).then(
      (value) => setFound({ value, error: null }),
      (problem: Error) => end.signal.aborted || setFound({ value: null, error: problem.message }),
    );
    return () => end.abort();
  }, [key]);
  return found;
}

export function Loaded<T>({ found, children }: { found: Found<T>; children: (value: T) => ComponentChildren }): VNode {
  if (found.error !== null) return <p class="notice bad" role="alert">{found.error}</p>;
  return found.value === null ? <p class="quiet">Reading…</p> : <>{children(found.value)}</>;
}
