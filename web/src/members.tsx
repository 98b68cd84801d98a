// The groups, side by side: who disagrees and why, who agrees, and who gave no answer.

import type { ComponentChildren, VNode } from "preact";
import { ActionButton, CopyButton } from "./buttons";
import { Region, fullText, useShared } from "./context";
import { Fold, isOpened } from "./fold";
import { Line, Markdown } from "./markdown";
import { answerMarkdown } from "./save";
import type { PageGroup, PageMember, PageResponse, RunPage, Status } from "./types";
import { GROUP_HELP, GROUP_SIGN, count, dollars, duration, groupWords, grouped, modelNames, percent } from "./words";

/** Members of a group that are listed one by one; of more, only the models are. */
const MOST_LISTED = 4;

export function Groups({ page }: { page: RunPage }): VNode | null {
  if (!page.groups.length) return null;
  const reported = page.iterations.find((each) => each.number === page.reported_iteration) ?? page.iterations.at(-1);
  const responses = new Map(reported?.responses.map((each) => [each.label, each]));
  return (
    <Region>
      <h2>{page.status === "planned" ? "Who would be asked" : "Who says what"}</h2>
      <div class="groups">
        {page.groups.map((group) => (
          <Group key={group.kind.endsWith("agrees") ? `${group.kind} ${group.labels[0]}` : group.kind} group={group} status={page.status} responses={responses} />
        ))}
      </div>
      {page.open_dissent.map((text, place) => (
        <div class="group disagrees" key={place}>
          <h3><span aria-hidden="true">≠ </span>Also against it</h3>
          <div class="argument"><Markdown text={text} linked level={4} /></div>
        </div>
      ))}
    </Region>
  );
}

function Group({ group, status, responses }: { group: PageGroup; status: Status; responses: Map<string, PageResponse> }): VNode {
  const { can, members, prefix } = useShared();
  const here = group.labels.map((label) => members.get(label)).filter((each) => each !== undefined);
  // While members come in, their group is as it will be, so that what is open in it can stay.
  const few = (status === "working" ? members.size : here.length) <= MOST_LISTED;
  const list = (): ComponentChildren => (
    <ul class="members">
      {here.map((member) => (
        <li key={member.label}><Member member={member} response={responses.get(member.label)} /></li>
      ))}
    </ul>
  );
  return (
    <div class={`group ${group.kind}`}>
      <h3>
        <span aria-hidden="true">{GROUP_SIGN[group.kind]} </span>
        {groupWords(group.kind, group.labels.length, status)}
      </h3>
      {group.final_answer !== undefined && <p class="said" dir="auto"><Line text={group.final_answer} block /></p>}
      {group.stated_confidence !== undefined && group.labels.length > 1 && (
        <p class="quiet">They state {percent(group.stated_confidence)} themselves</p>
      )}
      {GROUP_HELP[group.kind] && <p class="quiet">{GROUP_HELP[group.kind]}</p>}
      {group.argument !== undefined && (
        <div class="argument"><Markdown text={group.argument} linked level={4} /></div>
      )}
      {few ? list() : (
        <>
          <p class="models">
            {modelNames(here).map(({ model, count: n }, place) => (
              <span key={model}>{place > 0 && ", "}<bdi>{model}</bdi>{n > 1 && ` ×${n}`}</span>
            ))}
          </p>
          <div data-fold={`${prefix}group-${group.labels[0]}`} data-labels={group.labels.map((label) => prefix + label).join(" ")}>
            <Fold id={`${prefix}group-${group.labels[0]}`} summary={here.length === 1 ? "This one" : `Each of the ${here.length}`} open={here.some((each) => isOpened(`${prefix}member-${each.label}`))}>{list}</Fold>
          </div>
        </>
      )}
      {can.ask && here.length > 1 && (group.kind === "agrees" || group.kind === "disagrees") && (
        <p class="actions">
          <ActionButton act={() => can.ask!(`Go on with those who say: ${group.final_answer ?? group.labels.join(", ")}`, group.labels)}>
            Ask these {here.length} further
          </ActionButton>
        </p>
      )}
    </div>
  );
}

/** A member: its model first, and by a click its whole answer. */
function Member({ member, response }: { member: PageMember; response: PageResponse | undefined }): VNode {
  const { prefix } = useShared();
  const name = (
    <>
      <bdi class="model">{member.model}</bdi> <span class="letter">{member.label}</span>
      {member.stated_confidence !== undefined && <> <span class="quiet">states {percent(member.stated_confidence)}</span></>}
      {member.seconds !== undefined && <> <span class="quiet">{duration(member.seconds)}</span></>}
      {member.error !== undefined && <> <span class="quiet" dir="auto">{member.error.slice(0, 120)}</span></>}
    </>
  );
  if (!response && !member.error)
    return <p class="member" id={`${prefix}member-${member.label}`}>{name}</p>;
  return (
    <Fold id={`${prefix}member-${member.label}`} class="member" summary={name} print>
      {() => <Answer member={member} response={response ?? { ...member, warnings: [] }} />}
    </Fold>
  );
}

export function Answer({ member, response }: { member: PageMember; response: PageResponse }): VNode {
  const { can, source } = useShared();
  const text = response.text;
  const save = async (): Promise<void> =>
    can.save!(`answer-${member.label}.md`, "text/markdown", `${await answerMarkdown(response, `${member.model} (${member.label})`, source)}\n`);
  return (
    <>
      <p class="quiet">{responseFacts(response, member).join(" · ")}</p>
      {response.error && <p class="problem" dir="auto">{response.error}</p>}
      {response.warnings.map((line) => <p class="problem" dir="auto" key={line}>{line}</p>)}
      {text !== undefined && <Markdown text={text} level={4} />}
      {text !== undefined && (
        <p class="actions">
          <CopyButton text={() => fullText(source, text)} what={`the answer of ${member.model}`} />
          {can.save && <ActionButton act={save}>Save as Markdown</ActionButton>}
          {can.ask && <ActionButton act={() => can.ask!(`Go on with the answer of ${member.model} (${member.label}).`, [member.label])}>Ask this one further</ActionButton>}
        </p>
      )}
    </>
  );
}

function responseFacts(response: PageResponse, member: PageMember): string[] {
  const found = [`Member ${response.label}`];
  if (member.role) found.push(`role ${member.role}`);
  if (response.status === "cut") found.push("cut off: the run went on without it");
  if (response.seconds !== undefined) found.push(duration(response.seconds));
  if (response.input_tokens !== undefined || response.output_tokens !== undefined)
    found.push(`${grouped(response.input_tokens ?? 0)} tokens in, ${grouped(response.output_tokens ?? 0)} out`);
  if (response.cost_usd !== undefined) found.push(dollars(response.cost_usd));
  if (response.tries !== undefined) found.push(count(response.tries, "try", "tries"));
  if (response.stated_confidence !== undefined) found.push(`states ${percent(response.stated_confidence)} itself`);
  if (member.nested_run_id) found.push(`its own run ${member.nested_run_id}`);
  return found;
}
