// What one has used oneself on a team's server, and what is left.

import type { VNode } from "preact";
import { ActionButton } from "../buttons";
import { count, dollars } from "../words";
import { type Budget, type OwnUsage, signOut } from "./api";

const WHOSE = { everybody: "of all together", each: "of each user", user: "of yours" };

const amount = (what: Budget["what"], number: number): string => (what === "dollars" ? dollars(number) : `${number.toLocaleString()} ${what}`);

function line(budget: Budget): string {
  const when = budget.renewed_at === null ? "at once" : `until ${new Date(budget.renewed_at).toLocaleString()}`;
  return `${amount(budget.what, budget.left)} left ${when}, out of ${amount(budget.what, budget.most)} ${WHOSE[budget.who]}`;
}

export function You({ own }: { own: OwnUsage }): VNode {
  const { runs, calls, tokens, dollars: spent } = own.used;
  return (
    <>
      <p>In {own.period} your runs have used {count(calls, "call")}, {count(tokens, "token")} and about {dollars(spent)}, in {count(runs, "run")}.</p>
      {own.limits.length > 0 && <><h2>What is left</h2><ul>{own.limits.map((each) => <li key={line(each)}>{line(each)}</li>)}</ul></>}
      <p><ActionButton act={signOut}>Sign out</ActionButton></p>
    </>
  );
}
