// Statuses, numbers and names in words.

import type { GroupKind, PageMember, RunPage, Status } from "./types";

/** `62 %`, rounded as the server rounds: half to even. */
export function percent(share: number): string {
  const value = share * 100;
  const rounded = Math.round(value);
  return `${value % 1 === 0.5 && rounded % 2 ? rounded - 1 : rounded}\u00a0%`;
}
/** With commas; the browser's own way takes 30 ms the first time. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ",");
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${grouped(n)} ${n === 1 ? one : many}`;

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}\u00a0s`;
  if (seconds < 120) return `${Math.round(seconds)}\u00a0s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export const dollars = (amount: number): string =>
  `$${amount.toFixed(amount !== 0 && amount < 0.1 ? 4 : 2)}`;

export function bytes(size: number): string {
  if (size < 1000) return `${size} bytes`;
  return size < 1e6 ? `${(size / 1000).toFixed(0)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

export const STATUS: Record<Status, string> = {
  planned: "A plan: no model was called",
  working: "Working",
  completed: "Finished",
  degraded: "Finished, but something failed",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};

/** The status as a person says it. */
export function statusWords(page: RunPage): string {
  const words = STATUS[page.status] ?? page.status;
  if (page.status === "working") {
    const number = page.iterations.length || 1;
    return `${words}: iteration ${number}, ${page.answered} of ${page.asked} members have answered`;
  }
  if (page.degraded && page.status === "degraded") return "Finished without an arbiter's judgement";
  if (page.status === "interrupted") return `${words}: what was answered before is kept`;
  return words;
}

const STOPPED: Record<string, string> = {
  threshold: "confident enough",
  stable: "the answer no longer changed",
  max_iterations: "no more iterations were allowed",
  deadline: "the time was over",
  budget: "a limit on calls, tokens or cost was reached",
  quorum: "too few members answered",
  arbiter_failed: "no arbiter could weigh the answers",
  members_failed: "no member was left that could answer",
  cancelled: "somebody cancelled it",
};

export const stopWords = (reason: string): string => STOPPED[reason] ?? reason;

/** What the heading of a group says. */
export function groupWords(kind: GroupKind, n: number, status: Status = "completed"): string {
  if (kind === "waiting" && status === "planned") return `${n} would be asked`;
  if (kind === "waiting" && status !== "working") return `${n} had not answered`;
  const verb = n === 1 ? "s" : "";
  return {
    disagrees: `${n} disagree${verb}`,
    agrees: `${n} agree${verb}`,
    answered: `${n} answered so far`,
    abstains: `${n} without a short answer`,
    failed: `${n} did not answer`,
    waiting: `${n} still to answer`,
    spared: `${n} not asked`,
  }[kind];
}

export const GROUP_SIGN: Record<GroupKind, string> = {
  disagrees: "≠",
  agrees: "✓",
  answered: "•",
  abstains: "–",
  failed: "!",
  waiting: "…",
  spared: "○",
};

export const GROUP_HELP: Partial<Record<GroupKind, string>> = {
  abstains: "They answered, but gave no short answer that could be counted.",
  failed: "These calls failed or were cut off. That is no disagreement.",
  spared: "The others had settled the answer.",
};

/** `gpt-4o ×3, claude` — each model once. */
export function modelNames(members: PageMember[]): { model: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { model } of members) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts].map(([model, n]) => ({ model, count: n }));
}

export function when(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")[date.getMonth()];
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${date.getDate()} ${month} ${date.getFullYear()}, ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What a call was for: `A answers`, `the arbiter judges`. */
export function callWords(role: string, label: string): string {
  if (role === "arbiter") return "the arbiter judges";
  if (role === "reviewer") return `${label} reviews`;
  return `${label} answers`;
}
