// A run, in the order in which people read it: the answer, how sure it is, who says what, what it took.

import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { ActionButton, CopyButton } from "./buttons";
import { Compare } from "./compare";
import { Confidence } from "./confidence";
import { Context, Region, fullText, sharedOf, useShared } from "./context";
import { Attachments, Calls, Fields, History, Identity, Ratings, Review, Tools } from "./details";
import { Fold } from "./fold";
import { Iterations } from "./iterations";
import { Line, Markdown, Plain, WithLabels } from "./markdown";
import { Groups } from "./members";
import { facts, jsonOf, markdownOf } from "./save";
import type { Capabilities, Source } from "./source";
import type { Plan, RunPage, Text } from "./types";
import { count, dollars, grouped, statusWords } from "./words";

interface RunProps {
  page: RunPage;
  source: Source;
  can: Capabilities;
  /** Before every id; empty for the page's own run. */
  prefix?: string;
  /** Whether to draw all of it, or only what people look for first. */
  whole?: boolean;
}

export function Run({ page, source, can, prefix = "", whole = true }: RunProps): VNode {
  const shared = useMemo(() => sharedOf(page, source, can, prefix), [page, source, can, prefix]);
  const isDegraded = page.degraded || page.status === "degraded";
  return (
    <Context.Provider value={shared}>
      {/* What makes an answer worth less stands before it. */}
      {isDegraded && (
        <div class="notice">
          {page.degraded
            ? <p><strong>No arbiter could weigh these answers.</strong> {page.data ? "Each field has the value that most members gave." : "What follows is the one with the most support, word for word."}</p>
            : <h2>Before you rely on it</h2>}
          <Lines lines={page.warnings} />
        </div>
      )}
      {page.error && <p class="notice bad" dir="auto">{page.error}</p>}
      <Fields page={page} />
      <AnswerAbove page={page} />
      <Confidence page={page} />
      {whole && <Rest page={page} source={source} can={can} isDegraded={isDegraded} prefix={prefix} />}
    </Context.Provider>
  );
}

/** What stands below the answer and how sure it is. */
function Rest({ page, source, can, isDegraded, prefix }: Required<Omit<RunProps, "whole">> & { isDegraded: boolean }): VNode {
  return (
    <>
      <Groups page={page} />
      {page.plan && <Planned plan={page.plan} />}
      {!isDegraded && page.warnings.length > 0 && <div class="notice"><h2>Warnings</h2><Lines lines={page.warnings} /></div>}
      {page.refinements.length > 0 && (
        <Region><h2>Still open</h2><ul>{page.refinements.map((line) => <li dir="auto" key={line}><WithLabels text={line} /></li>)}</ul></Region>
      )}
      <Facts page={page} />
      <Actions page={page} nested={prefix !== ""} />
      <Ratings page={page} />
      <div class="folds">
        <Iterations page={page} />
        <Compare page={page} />
        <Review review={page.review} />
        <Calls page={page} />
        {page.nested.map((nested) => (
          <Fold key={nested.run_id} summary={<>Nested run: {nestedName(page, nested)}</>}>
            {() => (
              <div class="nested">
                <p class="quiet">{statusWords(nested)}</p>
                <Run page={nested} source={source} can={nestedCan(can)} prefix={`${nested.run_id}-`} />
              </div>
            )}
          </Fold>
        ))}
        <Attachments page={page} />
        <Tools page={page} />
        <History page={page} />
      </div>
      <Identity page={page} />
    </>
  );
}

/** What can be done with a nested run: it goes on and ends with its parent. */
function nestedCan({ save, openLink, callTool }: Capabilities): Capabilities {
  return { ...(save && { save }), ...(openLink && { openLink }), ...(callTool && { callTool }) };
}

function nestedName(page: RunPage, nested: RunPage): VNode {
  const [iteration, role, label] = (nested.parent_call ?? "").split("/");
  const member = page.members.find((each) => each.label === label);
  const who = role === "member" ? member?.model : nested.consortium;
  return <><bdi>{who ?? nested.run_id}</bdi> <span class="quiet">{role === "member" ? `${label}, iteration ${iteration}` : role}</span></>;
}

function Lines({ lines }: { lines: string[] }): VNode {
  return <ul>{lines.map((line) => <li dir="auto" key={line}>{line}</li>)}</ul>;
}

/** Answers up to this length are set large. */
const SHORT = 240;

function AnswerAbove({ page }: { page: RunPage }): VNode | null {
  const { source } = useShared();
  const { synthesis, final_answer: short } = page;
  if (synthesis === undefined) {
    const begun = page.iterations.some((it) => it.responses.some((each) => each.status === "answered"));
    if (page.status === "working" || page.status === "planned") return null;
    return <p class="quiet">There is no answer{begun ? "; what members said is below" : ""}.</p>;
  }
  const text: Text = synthesis;
  const repeated = typeof text === "string" && text.trim() === short?.trim();
  return (
    <Region class="answer" name="Answer">
      {short !== undefined && !page.data && short.length <= SHORT && <p class="headline" dir="auto"><Line text={short} block /></p>}
      {!repeated && !(page.data && isJson(text)) && <Markdown text={text} linked level={2} />}
      <p class="actions"><CopyButton text={() => fullText(source, text)} what="the answer">Copy answer</CopyButton></p>
    </Region>
  );
}

const isJson = (text: Text): boolean => typeof text === "string" && /^\s*[{[]/.test(text);

function Planned({ plan }: { plan: Plan }): VNode {
  const kinds = Object.entries(plan.calls).filter(([, [, most]]) => most > 0);
  return (
    <Region>
      <h2>What it would take</h2>
      <dl class="facts">
        <div><dt>Calls</dt><dd>{plan.fewest_calls === plan.most_calls ? plan.most_calls : `${plan.fewest_calls} to ${plan.most_calls}`}</dd></div>
        {kinds.length > 1 && kinds.map(([kind, [fewest, most]]) => <div key={kind}><dt>of these, {kind}</dt><dd>{fewest === most ? most : `${fewest} to ${most}`}</dd></div>)}
        <div><dt>Tokens of the first questions</dt><dd>about {grouped(plan.estimated_input_tokens)}</dd></div>
        {plan.least_cost_usd !== undefined && plan.most_cost_usd !== undefined && (
          <div><dt>Cost</dt><dd>about {dollars(plan.least_cost_usd)} to {dollars(plan.most_cost_usd)}{plan.priced_calls < plan.most_calls && `, for ${count(plan.priced_calls, "call")}`}</dd></div>
        )}
      </dl>
    </Region>
  );
}

function Facts({ page }: { page: RunPage }): VNode {
  return (
    <Region name="Cost and time">
      <dl class="facts">
        {facts(page).map(([name, value]) => <div key={name}><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div>)}
      </dl>
    </Region>
  );
}

function Actions({ page, nested }: { page: RunPage; nested: boolean }): VNode {
  const { can, source } = useShared();
  const name = `consultation-${page.run_id ?? "plan"}`;
  const ended = page.status === "completed" || page.status === "degraded";
  return (
    <p class="actions">
      {can.stop && page.status === "working" && <ActionButton act={can.stop} class="main">Stop</ActionButton>}
      {can.resume && page.status === "interrupted" && <ActionButton act={can.resume} class="main">Resume</ActionButton>}
      {can.ask && ended && <ActionButton act={() => can.ask!("", page.members.map((each) => each.label))} class="main">Ask further</ActionButton>}
      {can.rate && ended && <ActionButton act={() => can.rate!(true)}>This is right</ActionButton>}
      {can.rate && ended && <ActionButton act={() => can.rate!(false)}>This is wrong</ActionButton>}
      {!nested && can.save && <ActionButton act={async () => can.save!(`${name}.md`, "text/markdown", await markdownOf(page, source))}>Save all as Markdown</ActionButton>}
      {!nested && can.save && <ActionButton act={async () => can.save!(`${name}.json`, "application/json", await jsonOf(page, source))}>Save as JSON</ActionButton>}
    </p>
  );
}

/** The question, cut to two lines where it is long. */
export function Question({ text }: { text: Text }): VNode {
  const beginning = typeof text === "string" ? text : text.beginning;
  const long = typeof text !== "string" || text.length > 240 || text.split("\n").length > 3;
  return (
    <>
      <h1 dir="auto" class={long ? "cut" : undefined}>
        {!long && /\$|\\[([]/.test(beginning) ? <Line text={beginning} block /> : beginning.slice(0, 400) || "(no question)"}
      </h1>
      {long && <Fold summary="The whole question">{() => <Plain text={text} />}</Fold>}
    </>
  );
}
