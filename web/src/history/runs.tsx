// The history: a search, filters, and the newest runs first.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { STATUS, dollars, percent } from "../words";
import type { Status } from "../types";
import { ask, type RunList, type Summary } from "./api";
import { Loaded, useLoaded } from "./loaded";

export function Runs(): VNode {
  const [query, setQuery] = useState({ query: "", status: "", consortium: "" });
  const [chosen, setChosen] = useState<string[]>([]);
  const found = useLoaded<RunList>("runs", query);
  const set = (name: keyof typeof query) => (event: Event): void =>
    setQuery({ ...query, [name]: (event.currentTarget as HTMLInputElement).value });
  const choose = (id: string) => (): void =>
    setChosen(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id].slice(-2));
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>Words in it <input type="search" value={query.query} onInput={set("query")} /></label>
        <label>
          Status{" "}
          <select value={query.status} onChange={set("status")}>
            <option value="">any</option>
            {Object.entries(STATUS).filter(([name]) => name !== "planned").map(([name, words]) => <option key={name} value={name}>{words}</option>)}
          </select>
        </label>
        <label>Consortium <input value={query.consortium} onInput={set("consortium")} /></label>
      </form>
      {chosen.length === 2 && <p><a class="button" href={`#/compare/${chosen.join("/")}`}>Compare the two that you chose</a></p>}
      <Loaded found={found}>{(list) => <List key={JSON.stringify(query)} list={list} query={query} chosen={chosen} choose={choose} />}</Loaded>
    </>
  );
}

function List({ list, query, chosen, choose }: { list: RunList; query: Record<string, string>; chosen: string[]; choose: (id: string) => () => void }): VNode {
  const [more, setMore] = useState<RunList[]>([]);
  const [error, setError] = useState<string | null>(null);
  const last = more.at(-1) ?? list;
  const runs = [list, ...more].flatMap((each) => each.runs);
  const next = async (): Promise<void> => {
    try {
      setMore([...more, await ask<RunList>("runs", { ...query, cursor: last.next_cursor ?? "" })]);
    } catch (problem) {
      setError((problem as Error).message);
    }
  };
  if (!runs.length) return <p>No run is found. {Object.values(query).some(Boolean) ? "Search for something else." : "Consult a consortium first."}</p>;
  return (
    <>
      {list.notes.map((note) => <p class="notice" key={note}>{note}</p>)}
      <ul class="runs">{runs.map((run) => <Row key={run.run_id} run={run} chosen={chosen.includes(run.run_id)} choose={choose(run.run_id)} />)}</ul>
      {error !== null && <p class="notice bad" role="alert">{error}</p>}
      {last.next_cursor !== null && <p><button type="button" onClick={() => void next()}>Older runs</button></p>}
    </>
  );
}

function Row({ run, chosen, choose }: { run: Summary; chosen: boolean; choose: () => void }): VNode {
  const facts = [
    new Date(run.created_at).toLocaleString(),
    ...(run.consortium ? [run.consortium] : []),
    ...(run.cost_usd !== undefined ? [`about ${dollars(run.cost_usd)}`] : []),
  ];
  const answer = run.final_answer ?? run.synthesis;
  return (
    <li>
      <input type="checkbox" aria-label={`Compare: ${run.prompt.slice(0, 80)}`} checked={chosen} onChange={choose} />
      <div>
        <a href={`#/runs/${run.run_id}`} dir="auto">{run.prompt}</a>
        {answer && <div class="answer-line" dir="auto">{answer}</div>}
        <div class="quiet">
          <span class={`status ${run.status}`}>{STATUS[run.status as Status]}</span>{" "}
          {run.confidence !== undefined && <>confidence {percent(run.confidence)} · </>}
          {facts.join(" · ")}
        </div>
      </div>
    </li>
  );
}
