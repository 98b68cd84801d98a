// A run as files: Markdown to read, JSON with everything.

import { fullText } from "./context";
import type { Source } from "./source";
import type { PageResponse, RunPage, Text } from "./types";
import { count, dollars, duration, groupWords, grouped, percent, statusWords, stopWords } from "./words";

/** The whole run, or one answer of it. */
export async function markdownOf(page: RunPage, source: Source): Promise<string> {
  const full = (text: Text): Promise<string> => fullText(source, text);
  const parts = [`# ${oneLine(await full(page.prompt))}`, `*${statusWords(page)}*`];
  const add = (title: string, lines: string[], level = "##"): void => {
    if (lines.length) parts.push(`${level} ${title}`, lines.join("\n"));
  };
  if (page.error) parts.push(page.error);
  if (page.final_answer) parts.push(`**${page.final_answer}**`);
  if (page.synthesis) parts.push(await full(page.synthesis));
  if (page.equation) parts.push(`**Confidence:** ${page.equation}. ${page.reason ?? ""}`.trim());
  if (page.data) parts.push(fenced(JSON.stringify(page.data, null, 2), "json"));
  const model = (label: string): string =>
    `${page.members.find((member) => member.label === label)?.model ?? "?"} (${label})`;
  const groups = await Promise.all(
    page.groups.map(async (group) => {
      const answer = group.final_answer ? ` — ${oneLine(group.final_answer)}` : "";
      const argument = group.argument ? `: ${oneLine(await full(group.argument))}` : "";
      return `- **${groupWords(group.kind, group.labels.length, page.status)}**${answer} — ${group.labels.map(model).join(", ")}${argument}`;
    }),
  );
  add("Who agrees", groups);
  add("Still open", page.refinements.map((line) => `- ${line}`));
  add("Warnings", page.warnings.map((line) => `- ${line}`));
  parts.push(facts(page).map(([name, value]) => `- ${name}: ${value}`).join("\n"));
  for (const iteration of page.iterations) {
    parts.push(`## Iteration ${iteration.number}${iteration.confidence === undefined ? "" : `: confidence ${percent(iteration.confidence)}`}`);
    if (iteration.synthesis) parts.push(await full(iteration.synthesis));
    for (const response of iteration.responses) parts.push(await answerMarkdown(response, model(response.label), source));
  }
  parts.push(...(await Promise.all(page.nested.map(async (nested) => `---\n\nNested run ${nested.run_id}\n\n${await markdownOf(nested, source)}`))));
  return `${parts.join("\n\n")}\n`;
}

/** One member's answer. */
export async function answerMarkdown(response: PageResponse, who: string, source: Source): Promise<string> {
  const text = response.text ? await fullText(source, response.text) : `*${response.error ?? "no answer"}*`;
  const stated = response.stated_confidence === undefined ? "" : `, stated ${percent(response.stated_confidence)}`;
  return `### ${who}${stated}\n\n${text}`;
}

/** The run's data with every text in it. */
export async function jsonOf(page: RunPage, source: Source): Promise<string> {
  const whole = async (value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map(whole));
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value);
    if ("key" in value && "characters" in value && "beginning" in value) return fullText(source, value as unknown as Text);
    return Object.fromEntries(await Promise.all(entries.map(async ([name, each]) => [name, name === "data" || name === "fields" ? each : await whole(each)])));
  };
  return `${JSON.stringify(await whole(page), null, 2)}\n`;
}

/** What a run took and cost, and how it was put together. */
export function facts(page: RunPage): [string, string][] {
  const { usage } = page;
  const found: [string, string][] = [];
  const add = (name: string, value: string | undefined | false): void => {
    if (value) found.push([name, value]);
  };
  add("Cost", usage.cost_usd !== undefined && `about ${dollars(usage.cost_usd)}${usage.priced_calls < usage.calls ? `, for ${usage.priced_calls} of the calls` : ""}`);
  add("Time", usage.seconds !== undefined && duration(usage.seconds));
  add("Calls", usage.calls > 0 && count(usage.calls, "call"));
  if (usage.input_tokens !== undefined || usage.output_tokens !== undefined)
    add("Tokens", `${grouped(usage.input_tokens ?? 0)} in, ${grouped(usage.output_tokens ?? 0)} out${usage.cached_tokens ? `, ${grouped(usage.cached_tokens)} cached` : ""}`);
  add("Iterations", page.iterations.length > 0 && String(page.iterations.length));
  add("Ended because", page.stop_reason && stopWords(page.stop_reason));
  add("Strategy", page.strategy);
  add("Arbiter", page.arbiter);
  add("Consortium", page.consortium);
  add("Asked by", page.client);
  return found;
}


const oneLine = (text: string): string => text.split(/\s+/).join(" ").trim();

function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
