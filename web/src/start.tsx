// Draws the page, and draws it anew whenever its source has something newer.

import { render, type VNode } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { Context, sharedOf } from "./context";
import { usePainted } from "./painted";
import { Question, Run } from "./run";
import type { Source, View } from "./source";
import type { RunNotice, RunPage } from "./types";
import { statusWords } from "./words";

const isNotice = (shown: RunPage | RunNotice): shown is RunNotice => "notice" in shown;

const NOTICES: Record<RunNotice["notice"], string> = {
  pruned: "This run is no longer in the database: it has been deleted with what was said in it.",
  error: "This call came to nothing.",
  waiting: "The consultation has begun. Its state is not known here yet.",
  asking: "Nothing has been called: you are asked first whether to make these calls.",
};

const NOTICE_STATUS: Partial<typeof NOTICES> = { waiting: "Working", asking: "Waiting for you" };

/** The page of whatever the source has. */
export function Page({ source }: { source: Source }): VNode {
  const [view, setView] = useState(source.first);
  useEffect(() => source.subscribe(setView), [source]);
  // In a conversation the page is there before its run.
  const { shown } = source.first;
  const painted = usePainted(shown !== null && !isNotice(shown));
  useLayoutEffect(() => source.drawn?.());
  return <Shown view={view} source={source} painted={painted} />;
}

function Shown({ view, source, painted }: { view: View; source: Source; painted: boolean }): VNode {
  const { shown, can, note } = view;
  const notice = shown !== null && isNotice(shown) ? shown : null;
  const run = shown !== null && !isNotice(shown) ? shown : null;
  useEffect(() => {
    const prompt = run && (typeof run.prompt === "string" ? run.prompt : run.prompt.beginning);
    document.title = prompt ? prompt.slice(0, 80) : "Consultation";
  });
  const status = run ? statusWords(run) : notice === null ? "Nothing to show yet" : (NOTICE_STATUS[notice.notice] ?? "No consultation here");
  return (
    <>
      <header>
        <p role="status" aria-live="polite" class={`status ${run?.status ?? (notice?.notice === "error" ? "failed" : "planned")}`}>
          <span>{status}</span>
          {note && <span class="note"> {note}</span>}
        </p>
        {run ? (
          <Context.Provider value={sharedOf(run, source, can, "")}><Question text={run.prompt} /></Context.Provider>
        ) : (
          <h1>Consultation</h1>
        )}
        {run?.status === "working" && (
          <progress max={Math.max(run.asked, 1)} value={run.answered} aria-label="Members that have answered" />
        )}
      </header>
      {run && <Run page={run} source={source} can={can} whole={painted} />}
      {shown === null && <p>The answer of a consultation appears here, with how sure it is and who says what.</p>}
      {notice && (
        <>
          <p>{NOTICES[notice.notice]}</p>
          {notice.text && <p class={notice.notice === "error" ? "notice bad" : "quiet"} dir="auto">{notice.text}</p>}
          {notice.run_id && <p class="quiet">Run <code>{notice.run_id}</code></p>}
        </>
      )}
    </>
  );
}

/** Draws what the source has into the page. */
export function start(source: Source): void {
  const place = document.getElementById("page");
  if (!place) throw new Error("This document has no element with the id `page`.");
  place.replaceChildren();
  render(<main><Page source={source} /></main>, place);
}
