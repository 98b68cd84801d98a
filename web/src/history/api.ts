// What the pages ask of their server.

import type { Source, View } from "../source";
import { download } from "../buttons";
import type { RunPage, Status } from "../types";

export interface Summary {
  run_id: string;
  status: Status;
  prompt: string;
  synthesis?: string;
  final_answer?: string;
  confidence?: number;
  consortium?: string;
  strategy: string;
  created_at: string;
  calls: number;
  cost_usd?: number;
}
export interface RunList {
  runs: Summary[];
  next_cursor: string | null;
  notes: string[];
}
export interface ConsortiumLine {
  name: string;
  description: string | null;
  members: string[];
  arbiter: string;
  strategy: string;
  runs: number;
  answered: number;
  mean_confidence: number | null;
  rated: number;
  rated_right: number;
  calls: number;
  cost_usd: number | null;
}
export interface Standing {
  model: string;
  asked: number;
  judged: number;
  with_verdict: number;
  alone_against: number;
  failed: number;
  median_seconds: number | null;
  mean_output_tokens: number | null;
  cost_usd: number | null;
}
export interface CostLine {
  name: string | null;
  calls: number;
  priced_calls: number;
  cost_usd: number | null;
}
export interface Bin {
  confidence: number;
  accuracy: number;
  size: number;
}
export interface Calibration {
  rated: number;
  ece: number | null;
  bins: Bin[];
}

interface RunState {
  cursor: string;
  run: RunPage;
  text?: string;
}

export interface Budget {
  who: "everybody" | "each" | "user";
  what: "calls" | "tokens" | "dollars" | "runs";
  period: "day" | "month" | null;
  most: number;
  left: number;
  renewed_at: string | null;
}
export interface OwnUsage {
  period: string;
  used: { runs: number; calls: number; tokens: number; dollars: number };
  limits: Budget[];
}

/** What one has used oneself; `null` where nobody signs in. */
export async function ownUsage(): Promise<OwnUsage | null> {
  const answer = await fetch("usage");
  return answer.ok ? ((await answer.json()) as OwnUsage | null) : null;
}

export async function signOut(): Promise<void> {
  await fetch("sign-in/out", { method: "POST", headers: { "X-Consortium": "1" } });
  location.reload();
}

/** Asks the server. Throws its own words where it cannot answer, and other ones where it has gone. */
export async function ask<T>(path: string, query: Record<string, string> = {}, change?: { body?: unknown }, signal?: AbortSignal): Promise<T> {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const address = `api/${path}${given.size ? `?${given}` : ""}`;
  let answer: Response;
  try {
    answer = await fetch(address, {
      ...(change && { method: "POST", headers: { "X-Consortium": "1" }, body: JSON.stringify(change.body ?? {}) }),
      ...(signal && { signal }),
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new Error("The server of this page has gone. `consortium-mcp open` starts it again.");
  }
  if (answer.ok) return (await answer.json()) as T;
  const text = await answer.text();
  let told = text;
  try {
    told = (JSON.parse(text) as { error?: string }).error ?? text;
    if (answer.status === 401) told = "You are no longer signed in. Load this page again to sign in.";
  } catch {
    // It is not JSON, so it is text for people.
  }
  throw new Error(told || `The server answered ${answer.status}.`);
}

const TRY_AGAIN = 3000;
const BETWEEN_LOOKS = 300;
/** Also a run that has ended is asked for now and then: the server ends when nobody asks. */
const STILL_THERE = 15_000;

/** A run, live until it has ended. */
export function runSource(id: string): Source {
  const path = `runs/${encodeURIComponent(id)}`;
  let state: RunState | null = null;
  const view = (note?: string): View => ({
    shown: state?.run ?? { notice: "waiting" },
    can: state ? can : { save: download },
    ...(note !== undefined && { note }),
  });
  let show: (view: View) => void = () => {};
  const act = (action: string, body?: unknown) => async (): Promise<void> => {
    state = await ask<RunState>(`${path}/${action}`, {}, { body });
    show(view());
  };
  const can = {
    save: download,
    stop: act("cancel"),
    resume: act("resume"),
    rate: async (correct: boolean) => act("rate", { correct })(),
  };
  return {
    first: view(),
    subscribe(listener) {
      const end = new AbortController();
      show = listener;
      void (async () => {
        while (!end.signal.aborted) {
          let pause = BETWEEN_LOOKS;
          try {
            const working = state === null || state.run.status === "working";
            state = await ask<RunState>(path, { after: state && working ? state.cursor : "" }, undefined, end.signal);
            listener(view());
            if (state.run.status !== "working") pause = STILL_THERE;
          } catch (problem) {
            if (end.signal.aborted) return;
            listener(state ? view(String((problem as Error).message)) : { shown: { notice: "error", text: String((problem as Error).message) }, can: {} });
            pause = TRY_AGAIN;
          }
          await new Promise((done) => setTimeout(done, pause));
        }
      })();
      return () => end.abort();
    },
    async text(key) {
      const found = await ask<RunState>(`${path}/text`, { key });
      if (found.text === undefined) throw new Error("The server does not have this text any more.");
      return found.text;
    },
  };
}
