// The answer beside that of an earlier run, with what differs marked.

import type { VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ActionButton } from "./buttons";
import { useShared, useText } from "./context";
import { differences, type Piece } from "./diff";
import { Fold } from "./fold";
import type { EarlierRun } from "./source";
import type { RunPage, Text } from "./types";
import { percent, when } from "./words";

export function Compare({ page }: { page: RunPage }): VNode | null {
  const { can, prefix } = useShared();
  if (!can.compare || prefix !== "" || page.synthesis === undefined) return null;
  const synthesis = page.synthesis;
  return <Fold id="compare" summary="Compare with an earlier run">{() => <Earlier page={page} synthesis={synthesis} />}</Fold>;
}

function Earlier({ page, synthesis }: { page: RunPage; synthesis: Text }): VNode {
  const compare = useShared().can.compare!;
  const [runs, setRuns] = useState<EarlierRun[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [chosen, setChosen] = useState<{ run: EarlierRun; text: string } | null>(null);
  useEffect(() => {
    let alive = true;
    compare.runs(page).then(
      (found) => alive && setRuns(found),
      (error: unknown) => alive && setProblem(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      alive = false;
    };
  }, [page.run_id]);
  if (problem !== null) return <p class="problem">{problem}</p>;
  if (!runs) return <p class="quiet">Looking for runs of the same question …</p>;
  if (!runs.length) return <p class="quiet">No other run has asked this question.</p>;
  return (
    <>
      <ul class="plain-list">
        {runs.map((run) => (
          <li key={run.run_id}>
            <ActionButton act={async () => setChosen({ run, text: await compare.answer(run.run_id) })}>{nameOf(run)}</ActionButton>
            {run.final_answer !== undefined && <> <bdi class="quiet">{run.final_answer.slice(0, 120)}</bdi></>}
          </li>
        ))}
      </ul>
      {chosen && <Sides name={nameOf(chosen.run)} before={chosen.text} after={synthesis} />}
    </>
  );
}

const nameOf = (run: EarlierRun): string =>
  [run.continued ? "The run before" : "", when(run.created_at), run.confidence === undefined ? "" : percent(run.confidence)].filter(Boolean).join(" · ");

function Sides({ name, before, after }: { name: string; before: string; after: Text }): VNode {
  const { text, error } = useText(after);
  const pieces = useMemo(() => (text === null ? null : differences(before, text)), [before, text]);
  if (error !== null) return <p class="problem">This text cannot be shown: {error}</p>;
  if (text === null) return <p class="quiet">Comparing …</p>;
  const side = (kind: Piece["kind"], whole: string): VNode[] | string =>
    pieces?.filter((piece) => piece.kind === "same" || piece.kind === kind).map((piece, place) =>
      piece.kind === "same" ? <>{piece.text}</> : kind === "added" ? <ins key={place}>{piece.text}</ins> : <del key={place}>{piece.text}</del>,
    ) ?? whole;
  return (
    <>
      {before === text && <p class="quiet">Both have the same text.</p>}
      {!pieces && <p class="quiet">The two are too different, or too long, to mark what has changed.</p>}
      <div class="sides">
        <div role="group" aria-label="The earlier answer"><p class="quiet">{name}</p><div class="changes" dir="auto">{side("removed", before)}</div></div>
        <div role="group" aria-label="This answer"><p class="quiet">This run</p><div class="changes" dir="auto">{side("added", text)}</div></div>
      </div>
    </>
  );
}
