// How the answer moved from one iteration to the next.

import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { useShared, useText } from "./context";
import { differences } from "./diff";
import { Fold } from "./fold";
import { Line, Markdown } from "./markdown";
import { Answer } from "./members";
import type { PageIteration, RunPage, Text } from "./types";
import { groupWords, percent } from "./words";

export function Iterations({ page }: { page: RunPage }): VNode | null {
  const { prefix } = useShared();
  if (page.iterations.length < 2) return null;
  const path = page.iterations.map((each) => (each.confidence === undefined ? "…" : percent(each.confidence))).join(" → ");
  return (
    <Fold id={`${prefix}iterations`} summary={`${page.iterations.length} iterations: confidence ${path}`}>
      {() => (
        <ol class="iterations">
          {page.iterations.map((each, place) => (
            <li key={each.number}>
              <Iteration page={page} iteration={each} before={page.iterations[place - 1]} />
            </li>
          ))}
        </ol>
      )}
    </Fold>
  );
}

function synthesisOf(page: RunPage, iteration: PageIteration): Text | undefined {
  return iteration.number === page.reported_iteration ? page.synthesis : iteration.synthesis;
}

function Iteration({ page, iteration, before }: { page: RunPage; iteration: PageIteration; before: PageIteration | undefined }): VNode {
  const { members } = useShared();
  const synthesis = synthesisOf(page, iteration);
  const earlier = before && synthesisOf(page, before);
  const reported = iteration.number === page.reported_iteration;
  return (
    <>
      <h3>
        Iteration {iteration.number}
        {iteration.confidence !== undefined && `: ${percent(iteration.confidence)}`}
        {reported && page.iterations.length > 1 && <span class="quiet"> — the answer above</span>}
      </h3>
      {iteration.final_answer !== undefined && <p class="said" dir="auto"><Line text={iteration.final_answer} block /></p>}
      {iteration.degraded && <p class="problem">No arbiter could weigh these answers.</p>}
      {iteration.cut && <p class="problem">It was cut short by the {iteration.cut}.</p>}
      {iteration.groups.length > 0 && (
        <ul class="plain-list">
          {iteration.groups.map((group) => (
            <li key={group.labels[0]}>
              {groupWords(group.kind, group.labels.length)}
              {group.final_answer !== undefined && <>: <Line text={group.final_answer} /></>} <span class="quiet">({group.labels.join(", ")})</span>
            </li>
          ))}
        </ul>
      )}
      {synthesis !== undefined && earlier !== undefined && <Changes before={earlier} after={synthesis} />}
      {synthesis !== undefined && !reported && (earlier === undefined
        ? <Markdown text={synthesis} linked level={4} />
        : <Fold summary="The answer of this iteration">{() => <Markdown text={synthesis} linked level={4} />}</Fold>)}
      {iteration.refinements.length > 0 && <p class="quiet">Still open then:</p>}
      {iteration.refinements.length > 0 && <ul>{iteration.refinements.map((line) => <li dir="auto" key={line}>{line}</li>)}</ul>}
      {iteration.warnings.map((line) => <p class="problem" dir="auto" key={line}>{line}</p>)}
      {!reported && iteration.responses.length > 0 && (
        <Fold summary={`The ${iteration.responses.length} answers of this iteration`}>
          {() => iteration.responses.map((response) => {
            const member = members.get(response.label);
            return member && (
              <Fold key={response.label} class="member" summary={<><bdi class="model">{member.model}</bdi> <span class="letter">{member.label}</span></>}>
                {() => <Answer member={member} response={response} />}
              </Fold>
            );
          })}
        </Fold>
      )}
    </>
  );
}

function Changes({ before, after }: { before: Text; after: Text }): VNode {
  const first = useText(before);
  const second = useText(after);
  const ready = first.text !== null && second.text !== null;
  const pieces = useMemo(() => (ready ? differences(first.text!, second.text!) : null), [first.text, second.text]);
  if (!ready) return <p class="quiet">Comparing …</p>;
  if (first.text === second.text) return <p class="quiet">The same text as before.</p>;
  if (!pieces) return <p class="quiet">A new text, too different to mark what has changed.</p>;
  return (
    <div class="changes" dir="auto" role="group" aria-label="What changed since the iteration before">
      {pieces.map((piece, place) =>
        piece.kind === "same" ? piece.text : piece.kind === "added" ? <ins key={place}>{piece.text}</ins> : <del key={place}>{piece.text}</del>,
      )}
    </div>
  );
}
