// The data of a page, as `consortium_mcp/frontends/page/model.py` makes it. What is absent is left out.

/** A long text that is not here; the source gets it by its key. */
export interface Later {
  key: string;
  characters: number;
  beginning: string;
}
export type Text = string | Later;
export type GroupKind =
  | "disagrees"
  | "agrees"
  | "answered"
  | "abstains"
  | "failed"
  | "waiting"
  | "spared";
export type Status =
  | "planned"
  | "working"
  | "completed"
  | "degraded"
  | "failed"
  | "cancelled"
  | "interrupted";

export interface PageMember {
  label: string;
  model: string;
  role?: string;
  status: string;
  final_answer?: string;
  stated_confidence?: number;
  supports?: boolean;
  error?: string;
  seconds?: number;
  input_tokens?: number;
  output_tokens?: number;
  cost_usd?: number;
  tries?: number;
  nested_run_id?: string;
}

export interface PageGroup {
  kind: GroupKind;
  labels: string[];
  final_answer?: string;
  stated_confidence?: number;
  argument?: Text;
}

export interface PageResponse {
  label: string;
  status: string;
  final_answer?: string;
  stated_confidence?: number;
  error?: string;
  seconds?: number;
  input_tokens?: number;
  output_tokens?: number;
  cost_usd?: number;
  tries?: number;
  warnings: string[];
  text?: Text;
}

export interface PageIteration {
  number: number;
  confidence?: number;
  agreement?: number;
  synthesis?: Text;
  final_answer?: string;
  arbiter?: string;
  degraded: boolean;
  cut?: string;
  groups: PageGroup[];
  refinements: string[];
  warnings: string[];
  responses: PageResponse[];
}

export interface PageToolUse {
  name: string;
  arguments: Text;
  result: Text;
  seconds: number;
}

export interface PageCall {
  iteration: number;
  role: string;
  label: string;
  attempt: number;
  model: string;
  system?: Text;
  prompt?: Text;
  reply?: Text;
  error?: string;
  seconds?: number;
  input_tokens?: number;
  output_tokens?: number;
  cached_tokens?: number;
  cost_usd?: number;
  tries: number;
  warnings: string[];
  nested_run_id?: string;
  tools: PageToolUse[];
}

export interface PageRating {
  correct?: boolean;
  answer?: string;
  note?: string;
  by?: string;
  at: string;
}

export interface ConfidenceParts {
  agreement?: number;
  margin?: number;
  mean_stated?: number;
  votes: number;
  abstentions: number;
  unheard: number;
  repeated: number;
  distinct_answers: number;
  grouped_by: string;
  arbiter_confidence?: number;
  weighted: boolean;
  weighted_by?: string;
  calibrated: boolean;
  uncalibrated?: number;
  method: string;
}

export interface Check {
  reviewer: string;
  of: string;
  finding: string;
  error?: string;
}

export interface PeerReview {
  ranking: { labels: string[]; score: number }[];
  ballots: { reviewer: string; shown: string[]; ranking: string[] }[];
  checks: Check[];
  kendalls_w?: number;
  objections: { reviewer: string; of: string; text: string }[];
  missing: string[];
}

export interface FieldOutcome {
  path: string;
  value: unknown;
  agreement: number;
  confidence: number;
  votes: { value: unknown; labels: string[]; missing: boolean }[];
  settled_by: string;
  missing: boolean;
}

export interface Usage {
  calls: number;
  input_tokens?: number;
  output_tokens?: number;
  cached_tokens?: number;
  cost_usd?: number;
  priced_calls: number;
  seconds?: number;
}

export interface Plan {
  fewest_calls: number;
  most_calls: number;
  calls: Record<string, [number, number]>;
  estimated_input_tokens: number;
  least_cost_usd?: number;
  most_cost_usd?: number;
  priced_calls: number;
}

export interface RunPage {
  run_id?: string;
  status: Status;
  stop_reason?: string;
  error?: string;
  prompt: Text;
  synthesis?: Text;
  final_answer?: string;
  confidence?: number;
  parts?: ConfidenceParts;
  equation?: string;
  reason?: string;
  degraded: boolean;
  groups: PageGroup[];
  open_dissent: Text[];
  refinements: string[];
  warnings: string[];
  members: PageMember[];
  answered: number;
  asked: number;
  iterations: PageIteration[];
  reported_iteration?: number;
  review?: PeerReview;
  data?: Record<string, unknown>;
  fields: FieldOutcome[];
  calls: PageCall[];
  nested: RunPage[];
  parent_call?: string;
  attachments: { name: string; type: string; bytes?: number; sha256?: string }[];
  tools: { name: string; calls: number }[];
  history: { prompt: string; synthesis: string }[];
  ratings: PageRating[];
  usage: Usage;
  plan?: Plan;
  consortium?: string;
  strategy: string;
  arbiter: string;
  client?: string;
  continues?: string;
  parent_run_id?: string;
  age_seconds?: number;
  created_at: string;
}

/** What the page says where it has no run. */
export interface RunNotice {
  notice: "pruned" | "error" | "waiting" | "asking";
  run_id?: string;
  text?: string;
}
