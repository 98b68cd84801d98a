// Consortiums, models, costs and calibration.

import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import { count, dollars, duration, percent } from "../words";
import type { Calibration, ConsortiumLine, CostLine, Standing } from "./api";
import { Loaded, useLoaded } from "./loaded";
import { CostsPlot, ReliabilityPlot } from "./plots";
import { Sharing } from "./sharing";

const NONE = "–";
const share = (part: number, whole: number): string => (whole ? percent(part / whole) : NONE);
const cost = (amount: number | null): string => (amount === null ? NONE : dollars(amount));

function Table({ caption, heads, rows }: { caption: string; heads: string[]; rows: ComponentChildren[][] }): VNode {
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <thead><tr>{heads.map((head) => <th scope="col" key={head}>{head}</th>)}</tr></thead>
        <tbody>{rows.map((row, n) => <tr key={n}>{row.map((cell, place) => (place ? <td key={place}>{cell}</td> : <th scope="row" key={place} dir="auto">{cell}</th>))}</tr>)}</tbody>
      </table>
    </div>
  );
}

export function Consortiums(): VNode {
  const found = useLoaded<{ consortiums: ConsortiumLine[] }>("consortiums");
  return (
    <Loaded found={found}>
      {({ consortiums }) =>
        consortiums.length ? (
          <Table
            caption="Saved consortiums"
            heads={["Consortium", "Members", "Judged by", "Runs", "With an answer", "Mean confidence", "Rated right", "Cost"]}
            rows={consortiums.map((each) => [
              <>{each.name}<Sharing path={`consortiums/${encodeURIComponent(each.name)}`} what={`use ${each.name}`} /></>, each.members.join(", "), `${each.arbiter} (${each.strategy})`, each.runs,
              share(each.answered, each.runs), each.mean_confidence === null ? NONE : percent(each.mean_confidence),
              each.rated ? `${each.rated_right} of ${each.rated}` : NONE, cost(each.cost_usd),
            ])}
          />
        ) : (
          <p>No consortium is saved yet. <code>llm consortium save NAME -m MODEL -m MODEL</code> saves one.</p>
        )
      }
    </Loaded>
  );
}

export function Leaderboard(): VNode {
  const found = useLoaded<{ runs: number; standings: Standing[] }>("leaderboard");
  return (
    <Loaded found={found}>
      {({ runs, standings }) =>
        standings.length ? (
          <>
            <Table
              caption="Models"
              heads={["Model", "Asked", "With the verdict", "Alone against it", "Failed", "Median time", "Tokens out", "Cost"]}
              rows={standings.map((each) => [
                each.model, each.asked, share(each.with_verdict, each.judged), share(each.alone_against, each.judged), share(each.failed, each.asked),
                each.median_seconds === null ? NONE : duration(each.median_seconds), each.mean_output_tokens === null ? NONE : Math.round(each.mean_output_tokens), cost(each.cost_usd),
              ])}
            />
            <p class="quiet">{count(runs, "run")} with a verdict. This is agreement, not correctness: a verdict can be wrong, and the one model that disagrees can be right.</p>
          </>
        ) : (
          <p>No answers are recorded yet. Consult a consortium first.</p>
        )
      }
    </Loaded>
  );
}

const BY = ["month", "consortium", "model", "client"] as const;

export function Costs(): VNode {
  const [by, setBy] = useState<string>("month");
  const found = useLoaded<{ by: string; lines: CostLine[] }>("costs", { by });
  return (
    <>
      <p class="filters"><label>Added up by <select value={by} onChange={(event) => setBy(event.currentTarget.value)}>{BY.map((each) => <option key={each}>{each}</option>)}</select></label></p>
      <Loaded found={found}>
        {({ by: shown, lines }) =>
          lines.length ? (
            <>
              {shown === "month" && <CostsPlot lines={lines} />}
              <Table caption="Costs" heads={[shown, "Calls", "Price known of", "Cost"]} rows={lines.map((line) => [line.name ?? "(not known)", line.calls, line.priced_calls, cost(line.cost_usd)])} />
              <p class="quiet">An estimate in US dollars. Months are those of UTC. Calls without a known price are not in it.</p>
            </>
          ) : (
            <p>No calls are recorded yet.</p>
          )
        }
      </Loaded>
    </>
  );
}

export function CalibrationView(): VNode {
  const found = useLoaded<Calibration>("calibration");
  return (
    <Loaded found={found}>
      {({ rated, ece, bins }) =>
        rated ? (
          <>
            <ReliabilityPlot bins={bins} />
            <p>{count(rated, "rated run")}{ece !== null && <>; confidence is {percent(ece)} off on average</>}. On the line, answers are right as often as their confidence says; below it, confidence promises too much.</p>
            <Table caption="Confidence and right answers" heads={["Confidence", "Right", "Runs"]} rows={bins.map((bin) => [percent(bin.confidence), percent(bin.accuracy), bin.size])} />
          </>
        ) : (
          <p>No run is rated yet. Rate runs on their pages, or with <code>llm consortium rate RUN_ID --correct</code>; then this shows how far confidence can be trusted.</p>
        )
      }
    </Loaded>
  );
}
