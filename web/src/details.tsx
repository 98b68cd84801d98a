// What is behind a run: peer reviews, fields, prompts, nested runs, attachments, tools, the conversation.

import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import { CopyButton } from "./buttons";
import { Region, useShared } from "./context";
import { Fold } from "./fold";
import { Markdown, Plain, WithLabels } from "./markdown";
import type { FieldOutcome, PageCall, PeerReview, RunPage } from "./types";
import { bytes, callWords, count, dollars, duration, percent, when } from "./words";

export function Fields({ page }: { page: RunPage }): VNode | null {
  const { data, fields } = page;
  if (!data) return null;
  const contested = fields.filter((field) => field.votes.length > 1).sort((a, b) => a.confidence - b.confidence);
  const agreed = fields.filter((field) => field.votes.length < 2);
  const json = JSON.stringify(data, null, 2);
  return (
    <Region>
      <h2>The object</h2>
      {fields.length > 0 && <p class="quiet">{agreed.length} of {count(fields.length, "field")} agreed by all who gave one</p>}
      {fields.length > 0 && <FieldTable fields={[...contested, ...agreed]} />}
      <Fold summary="As JSON" open={fields.length === 0}>{() => <Plain text={json} />}</Fold>
    </Region>
  );
}

const MOST_FIELDS = 40;

function FieldTable({ fields }: { fields: FieldOutcome[] }): VNode {
  const [most, setMost] = useState(MOST_FIELDS);
  const value = (each: unknown, missing: boolean): string => {
    if (missing) return "nothing";
    const text = typeof each === "string" ? each : JSON.stringify(each);
    return text.length > 300 ? `${text.slice(0, 299)}…` : text;
  };
  return (
    <div class="wide" tabIndex={0} role="group" aria-label="Fields, the contested ones first">
      <table>
        <thead><tr><th>Field</th><th>Value</th><th>Sure</th><th>Others say</th></tr></thead>
        <tbody>
          {fields.slice(0, most).map((field) => (
            <tr key={field.path} class={field.votes.length > 1 ? "contested" : undefined}>
              <td><code>{field.path || "(all)"}</code></td>
              <td dir="auto">{value(field.value, field.missing)}</td>
              <td>{percent(field.confidence)}{field.settled_by === "arbiter" && <span class="quiet"> by the arbiter</span>}</td>
              <td dir="auto">{field.votes.slice(1).map((vote) => `${value(vote.value, vote.missing)} (${vote.labels.join(", ")})`).join("; ") || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {fields.length > most && <button type="button" class="more" onClick={() => setMost(most * 5)}>Show more ({fields.length - most} left)</button>}
    </div>
  );
}

export function Review({ review }: { review: PeerReview | undefined }): VNode | null {
  const { members } = useShared();
  if (!review) return null;
  const who = (label: string): ComponentChildren => <><bdi>{members.get(label)?.model ?? label}</bdi>{members.has(label) && ` (${label})`}</>;
  return (
    <Fold summary={`What they made of each other's answers: ${count(review.ballots.length + review.checks.length, "review")}`}>
      {() => (
        <>
          {review.ranking.length > 0 && (
            <>
              <p>Best first{review.kendalls_w !== undefined && `; the rankings agree by ${review.kendalls_w.toFixed(2)} (Kendall's W)`}:</p>
              <ol>{review.ranking.map((each) => <li key={each.labels[0]}>{each.labels.map((label, n) => <>{n > 0 && ", "}{who(label)}</>)} <span class="quiet">{each.score.toFixed(2)}</span></li>)}</ol>
            </>
          )}
          {review.ballots.length > 0 && <ul>{review.ballots.map((each) => <li key={each.reviewer}>{who(each.reviewer)} ranks {each.ranking.join(", ")}</li>)}</ul>}
          {review.checks.length > 0 && (
            <ul>{review.checks.map((each) => (
              <li key={`${each.reviewer} ${each.of}`}>{who(each.reviewer)} on {who(each.of)}: <strong>{each.finding}</strong>{each.error && <span dir="auto"> — <WithLabels text={each.error} /></span>}</li>
            ))}</ul>
          )}
          {review.objections.length > 0 && (
            <>
              <p>Objections, the strongest first:</p>
              <ul>{review.objections.map((each, n) => <li key={n}>{who(each.reviewer)} to {who(each.of)}: <span dir="auto"><WithLabels text={each.text} /></span></li>)}</ul>
            </>
          )}
          {review.missing.length > 0 && <p class="quiet">No review came from {review.missing.join(", ")}.</p>}
        </>
      )}
    </Fold>
  );
}

export function Calls({ page }: { page: RunPage }): VNode | null {
  const { prefix } = useShared();
  if (!page.calls.length) return null;
  return (
    <Fold id={`${prefix}calls`} summary={`The exact prompts and replies of ${count(page.calls.length, "call")}`}>
      {() => page.calls.map((call) => (
        <Fold key={`${call.iteration}/${call.role}/${call.label}/${call.attempt}`} class="member" summary={<><bdi class="model">{call.model}</bdi> <span class="quiet">iteration {call.iteration}: {callWords(call.role, call.label)}{call.attempt > 1 && ", asked again"}</span></>}>
          {() => <Call call={call} page={page} />}
        </Fold>
      ))}
    </Fold>
  );
}

function Call({ call, page }: { call: PageCall; page: RunPage }): VNode {
  const answer = page.iterations.find((each) => each.number === call.iteration)?.responses.find((each) => each.label === call.label)?.text;
  const reply = call.reply ?? (call.role === "member" ? answer : undefined);
  const facts = [
    call.seconds !== undefined && duration(call.seconds),
    (call.input_tokens !== undefined || call.output_tokens !== undefined) && `${call.input_tokens ?? 0} tokens in, ${call.output_tokens ?? 0} out`,
    call.cached_tokens && `${call.cached_tokens} cached`,
    call.cost_usd !== undefined && dollars(call.cost_usd),
    call.tries > 1 && `${call.tries} tries`,
  ].filter(Boolean);
  const part = (name: string, text: PageCall["prompt"]): ComponentChildren => text !== undefined && <><h3>{name}</h3><Plain text={text} /></>;
  return (
    <>
      <p class="quiet">{facts.join(" · ")}</p>
      {part("System prompt", call.system)}
      {part("Prompt", call.prompt)}
      {call.tools.map((use, n) => (
        <div key={n}>
          <h3>Tool <bdi>{use.name}</bdi> <span class="quiet">{duration(use.seconds)}</span></h3>
          <Plain text={use.arguments} />
          <Plain text={use.result} />
        </div>
      ))}
      {part("Reply", reply)}
      {call.error !== undefined && <p class="problem" dir="auto">{call.error}</p>}
      {call.warnings.map((line) => <p class="problem" dir="auto" key={line}>{line}</p>)}
    </>
  );
}

export function Attachments({ page }: { page: RunPage }): VNode | null {
  if (!page.attachments.length) return null;
  return (
    <Fold summary={count(page.attachments.length, "attachment")}>
      {() => (
        <ul>{page.attachments.map((each, n) => (
          <li key={n}><bdi>{each.name}</bdi> <span class="quiet"><bdi>{each.type}</bdi>{each.bytes !== undefined && `, ${bytes(each.bytes)}`}</span></li>
        ))}</ul>
      )}
    </Fold>
  );
}

export function Tools({ page }: { page: RunPage }): VNode | null {
  if (!page.tools.length) return null;
  return (
    <Fold summary={`Tools used: ${page.tools.map((each) => each.name).join(", ").slice(0, 100)}`}>
      {() => <ul>{page.tools.map((each) => <li key={each.name}><bdi>{each.name}</bdi>: {count(each.calls, "time")}</li>)}</ul>}
    </Fold>
  );
}

export function History({ page }: { page: RunPage }): VNode | null {
  if (!page.history.length) return null;
  return (
    <Fold summary={`The conversation before: ${count(page.history.length, "turn")}`}>
      {() => page.history.map((turn, n) => (
        <div class="turn" key={n}>
          <p dir="auto"><strong>{turn.prompt.length > 2000 ? `${turn.prompt.slice(0, 2000)}…` : turn.prompt}</strong></p>
          <Markdown text={turn.synthesis} level={3} />
        </div>
      ))}
    </Fold>
  );
}

export function Ratings({ page }: { page: RunPage }): VNode | null {
  if (!page.ratings.length) return null;
  return (
    <ul class="plain-list">
      {page.ratings.map((each, n) => (
        <li key={n}>
          Rated{each.correct === undefined ? "" : each.correct ? " right" : " wrong"}{each.by && <> by <bdi>{each.by}</bdi></>}<span class="quiet"> {when(each.at)}</span>
          {each.answer && <span dir="auto">; the right answer is {each.answer}</span>}{each.note && <span dir="auto"> ({each.note})</span>}
        </li>
      ))}
    </ul>
  );
}

export function Identity({ page }: { page: RunPage }): VNode | null {
  const id = page.run_id;
  if (id === undefined) return null;
  return (
    <p class="quiet identity">
      Run <code>{id}</code> <CopyButton text={() => id} what="the run's id">Copy id</CopyButton> of {when(page.created_at)}
      {page.continues && <>, continues <code>{page.continues}</code></>}
      {page.parent_run_id && <>, part of <code>{page.parent_run_id}</code></>}
    </p>
  );
}
