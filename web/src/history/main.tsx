// The pages of `consortium-mcp open`: the history, a run, two runs side by side, and figures.

import { render, type VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Page } from "../start";
import { type OwnUsage, ownUsage, runSource } from "./api";
import { CalibrationView, Consortiums, Costs, Leaderboard } from "./figures";
import { Runs } from "./runs";
import { Sharing } from "./sharing";
import { You } from "./you";

const PLACES: [string, string, () => VNode][] = [
  ["", "Runs", Runs],
  ["consortiums", "Consortiums", Consortiums],
  ["models", "Models", Leaderboard],
  ["costs", "Costs", Costs],
  ["calibration", "Calibration", CalibrationView],
];

function useRoute(): string[] {
  const read = (): string => location.hash.replace(/^#\/?/, "");
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const changed = (): void => setRoute(read());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route.split("/").map(decodeURIComponent);
}

function RunPane({ id }: { id: string }): VNode {
  const source = useMemo(() => runSource(id), [id]);
  return (
    <>
      <Page source={source} />
      <Sharing path={`runs/${encodeURIComponent(id)}`} what="read this run" />
    </>
  );
}

function Place({ route, own }: { route: string[]; own: OwnUsage | null }): VNode {
  const [place = "", ...ids] = route;
  if (place === "runs" && ids[0]) return <RunPane key={ids[0]} id={ids[0]} />;
  if (place === "compare" && ids.length === 2)
    return <div class="side-by-side">{ids.map((id) => <section key={id} aria-label={`Run ${id}`}><RunPane id={id} /></section>)}</div>;
  if (place === "you" && own) return <><h1>You</h1><You own={own} /></>;
  const found = PLACES.find(([name]) => name === place);
  if (!found) return <p>There is no such page. <a href="#/">The runs</a></p>;
  const [, title, View] = found;
  return <><h1>{title}</h1><View /></>;
}

function History(): VNode {
  const route = useRoute();
  const place = route[0] ?? "";
  const [own, setOwn] = useState<OwnUsage | null>(null);
  const content = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else content.current?.focus(); // a screen reader begins with what is new
  }, [route.join("/")]);
  // Where nobody signs in there is no such page; and the server may have gone.
  useEffect(() => void ownUsage().then(setOwn, () => {}), [place]);
  const places: [string, string][] = [...PLACES.map(([name, title]): [string, string] => [name, title]), ...(own ? [["you", "You"] as [string, string]] : [])];
  return (
    <>
      <nav aria-label="Pages">
        {places.map(([name, title]) => (
          <a key={name} href={`#/${name}`} aria-current={place === name || (name === "" && (place === "runs" || place === "compare")) ? "page" : undefined}>{title}</a>
        ))}
      </nav>
      <main class="history" ref={content} tabIndex={-1}><Place route={route} own={own} /></main>
    </>
  );
}

const place = document.getElementById("page");
if (!place) throw new Error("This document has no element with the id `page`.");
place.replaceChildren();
render(<History />, place);
