// A run's page from its report alone, where a host passes on nothing else.

import type { GroupKind, PageGroup, PageMember, RunPage } from "./types";

export type Report = Partial<RunPage> & {
  confidence_parts?: RunPage["parts"];
  dissent?: { labels: string[]; argument: string }[];
};

export function pageOfReport(report: Report): RunPage {
  const members = report.members ?? [];
  const given = Object.fromEntries(Object.entries(report).filter(([, value]) => value !== null));
  return {
    ...(given as Report),
    run_id: report.run_id ?? undefined,
    status: report.status ?? "working",
    prompt: report.prompt ?? "",
    parts: report.confidence_parts ?? undefined,
    groups: groupsOf(members, report.dissent ?? []),
    open_dissent: (report.dissent ?? []).filter((side) => !side.labels.length).map((side) => side.argument),
    iterations: [],
    calls: [],
    nested: [],
  } as unknown as RunPage;
}

function groupsOf(members: PageMember[], dissent: { labels: string[]; argument: string }[]): PageGroup[] {
  const groups = new Map<string, PageGroup>();
  for (const member of members) {
    const kind = kindOf(member);
    const answer = member.final_answer ?? null; // absent, or `null` as in a report
    const argument = dissent.find((side) => side.labels.includes(member.label))?.argument;
    const key = JSON.stringify([kind, kind === "disagrees" ? answer : null, argument]);
    const group: PageGroup = groups.get(key) ?? {
      kind,
      labels: [],
      ...(answer !== null && { final_answer: answer }),
      ...(argument !== undefined && { argument }),
    };
    group.labels.push(member.label);
    groups.set(key, group);
  }
  const order: GroupKind[] = ["disagrees", "agrees", "answered", "abstains", "failed", "waiting", "spared"];
  return [...groups.values()].sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
}

function kindOf(member: PageMember): GroupKind {
  if (member.status === "waiting" || member.status === "spared") return member.status;
  if (member.status !== "answered") return "failed";
  if (member.supports === undefined || member.supports === null) return "answered";
  return member.supports ? "agrees" : "disagrees";
}
