// Where a page gets its data, and what it can do there. A file is one source, a host another.

import { download } from "./buttons";
import type { RunNotice, RunPage } from "./types";

/** A run that the page's own can be compared with. */
export interface EarlierRun {
  run_id: string;
  created_at: string;
  final_answer?: string;
  confidence?: number;
  /** The page's run goes on from it. */
  continued: boolean;
}

/** What a page can do. A button whose capability is absent is not there. */
export interface Capabilities {
  stop?: () => Promise<void>;
  resume?: () => Promise<void>;
  rate?: (correct: boolean) => Promise<void>;
  /** Ask further: all members, or those with these labels. */
  ask?: (message: string, labels: string[]) => Promise<void>;
  /** Saves a file. */
  save?: (name: string, type: string, text: string) => Promise<void>;
  /** Opens a web address; without it, links are the browser's own. */
  openLink?: (url: string) => Promise<void>;
  compare?: {
    /** Other runs of the same question or conversation, the newest first. */
    runs(page: RunPage): Promise<EarlierRun[]>;
    /** The whole answer of one. */
    answer(id: string): Promise<string>;
  };
  callTool?: (name: string, args: Record<string, unknown>) => Promise<unknown>;
}

/** What is shown now. */
export interface View {
  /** `null`: there is nothing to show yet. */
  shown: RunPage | RunNotice | null;
  can: Capabilities;
  /** Anything the reader should know of the source, such as that it has gone, or how old this is. */
  note?: string;
}

export interface Source {
  first: View;
  /** Calls `listener` with every later view; returns how to stop that. */
  subscribe(listener: (view: View) => void): () => void;
  /** A text that was left out; see `Later`. Throws, or rejects, where it cannot be had. */
  text(key: string): string | Promise<string>;
  /** Called after each draw. */
  drawn?(): void;
}

const PLACE = "run-page";

function read(id: string): string {
  return document.getElementById(id)?.textContent?.trim() ?? "";
}

/** Whether this file has a run's data in it. */
export const hasData = (): boolean => read(PLACE) !== "";

/** The data that stand in the file itself. */
export function fileSource(): Source {
  const data = read(PLACE);
  let shown: View["shown"] = null;
  if (data) {
    try {
      shown = JSON.parse(data) as RunPage | RunNotice;
    } catch {
      shown = { notice: "error", text: "The data in this file is damaged." };
    }
  }
  return {
    first: { shown, can: { save: download } },
    subscribe: () => () => {},
    async text(key) {
      // The texts stand behind the script: the browser may not have come to them yet.
      if (document.readyState === "loading")
        await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
      const found = read(`text:${key}`);
      if (!found) throw new Error("This text is not in the file.");
      return JSON.parse(found) as string;
    },
  };
}
