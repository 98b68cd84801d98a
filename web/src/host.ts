// The page inside a conversation: its host brings the call's result, and carries calls to the server.

import { dress, Height } from "./appearance";
import { Bridge, NoAnswer, type HostCapabilities, type HostContext, type Initialized, type ToolResult } from "./bridge";
import { pageOfReport, type Report } from "./report";
import type { Capabilities, EarlierRun, Source, View } from "./source";
import type { RunNotice, RunPage, Text } from "./types";

const DATA = "consortium-mcp/page";
/** Seconds that one look at a working run waits for something new. With the seconds below, a server
 * that has gone is told of within ten. */
const LOOK = 5;
const ANSWER = 4;
const BEFORE_NEXT_TRY = 1000;
/** Milliseconds after which a page that got neither input nor result says so. */
const NOTHING_CAME = 3000;

/** A result without a run, and what the page says of that. */
class NoRun extends Error {
  constructor(
    text: string,
    readonly notice: RunNotice,
  ) {
    super(text);
  }
}

interface PageData {
  cursor: string;
  run: RunPage;
  text?: string;
}

/** Runs that are offered to compare with. */
const MOST_COMPARED = 8;

/** A run as `list_runs` has it, or as its page does. */
type Listed = Omit<EarlierRun, "continued"> & { prompt: Text; synthesis?: Text | null };

const WAITING: RunNotice = { notice: "waiting" };

/** A host's page; `start` draws it. */
export function hostSource(host: Window): Source {
  return new HostSource(host);
}

class HostSource implements Source {
  first: View = { shown: WAITING, can: {} };
  private view: View = this.first;
  private listeners = new Set<(view: View) => void>();
  private readonly bridge: Bridge;
  private readonly height: Height;
  private capabilities: HostCapabilities = {};
  private context: HostContext = {};
  private prompt: string | null = null;
  private run: RunPage | null = null;
  private cursor = "";
  /** Of the newest state, as the reader's clock has it. */
  private seen = new Date();
  private result = false;
  private following = false;
  /** It is no longer in the database. */
  private gone = false;

  constructor(host: Window) {
    this.bridge = new Bridge(host, (method, params) => this.told(method, params));
    this.height = new Height(this.bridge);
    void this.begin();
  }

  subscribe(listener: (view: View) => void): () => void {
    this.listeners.add(listener);
    if (this.view !== this.first) listener(this.view);
    return () => this.listeners.delete(listener);
  }

  async text(key: string): Promise<string> {
    const id = this.run?.run_id;
    if (!id || !this.capabilities.serverTools)
      throw new Error("This host lets the page ask for nothing. The whole run: `consortium-mcp open`.");
    const data = await this.get({ run_id: id, page: { text: key } }, ANSWER * 3);
    if (data?.text === undefined) throw new Error("The server does not have this text any more.");
    return data.text;
  }

  drawn(): void {
    this.height.tell();
  }

  private async begin(): Promise<void> {
    try {
      const answer: Initialized = await this.bridge.request(
        "ui/initialize",
        {
          protocolVersion: "2026-01-26",
          appInfo: { name: "consortium-mcp", version: "1" },
          appCapabilities: { availableDisplayModes: ["inline"] },
        },
        ANSWER * 5,
      );
      this.capabilities = answer.hostCapabilities ?? {};
      this.change(answer.hostContext ?? {});
    } catch (problem) {
      this.show(this.view.shown, problem instanceof Error ? problem.message : String(problem));
      return;
    }
    this.bridge.notify("ui/notifications/initialized");
    this.height.tell();
    setTimeout(() => {
      if (this.prompt === null && !this.result && !this.run)
        this.show(null, "The host has not given this page its call again.");
    }, NOTHING_CAME);
    await this.findRun();
  }

  private told(method: string, params: Record<string, unknown>): void {
    switch (method) {
      case "ui/notifications/tool-input": {
        const input = params.arguments as Record<string, unknown> | undefined;
        if (typeof input?.prompt === "string") this.prompt = input.prompt;
        if (!this.run && !this.result) this.show(this.prompt === null ? WAITING : { ...WAITING, text: this.prompt });
        break;
      }
      case "ui/notifications/tool-result":
        this.result = true;
        this.take(params as ToolResult);
        break;
      case "ui/notifications/tool-cancelled":
        if (!this.run) {
          this.result = true;
          const reason = typeof params.reason === "string" ? ` (${params.reason})` : "";
          this.show({ notice: "error", text: `The call was cancelled${reason}.` });
        }
        break;
      case "ui/notifications/host-context-changed":
        this.change(params as HostContext);
        break;
    }
  }

  private change(context: HostContext): void {
    this.context = { ...this.context, ...context };
    dress(context);
    this.height.tell();
  }

  /** Until the call has ended, only the server knows which run it has begun. */
  private async findRun(): Promise<void> {
    const id = this.context.toolInfo?.id;
    if (id === undefined || !this.capabilities.serverTools) return;
    while (!this.run && !this.result) {
      try {
        const data = await this.get({ run_id: "", page: { call: id } }, LOOK + ANSWER);
        // A host may count its calls in its own way; then this is another call's run.
        if (data && this.isMine(data.run)) return this.update(data);
        if (data) return;
      } catch (problem) {
        // The call has not begun its run yet.
        if (problem instanceof NoRun && !this.result) this.show(problem.notice);
      }
      await new Promise((done) => setTimeout(done, BEFORE_NEXT_TRY));
    }
  }

  private isMine(run: RunPage): boolean {
    const shown = typeof run.prompt === "string" ? run.prompt : run.prompt.beginning;
    return this.prompt !== null && (this.prompt === shown || (typeof run.prompt !== "string" && this.prompt.startsWith(shown)));
  }

  /** The result of the call, or of one that the page has made. */
  private take(result: ToolResult): void {
    const question = questionOf(result);
    if (question !== undefined) {
      this.result = false; // the host asks, and calls again
      this.show({ notice: "asking", text: question });
      return;
    }
    const data = dataOf(result);
    if (data) return this.update(data);
    const report = result.structuredContent as Report | undefined;
    if (report && "status" in report) {
      this.update({ cursor: "", run: pageOfReport(report) });
      if (report.run_id && this.capabilities.serverTools) void this.follow(); // the host left its data out
      return;
    }
    const text = (result.content ?? []).map((each) => each.text ?? "").join("\n").trim();
    this.show({ notice: "error", text: text || "The call came to nothing." });
  }

  private update(data: PageData): void {
    this.run = data.run;
    this.cursor = data.cursor;
    this.seen = new Date();
    this.show(data.run, this.staleness());
    if (data.run.status === "working" && this.capabilities.serverTools) void this.follow();
  }

  private staleness(): string | undefined {
    if (this.run?.status !== "working" || this.capabilities.serverTools) return undefined;
    return `As of ${this.seen.toLocaleTimeString()}. This host does not let the page ask for newer.`;
  }

  /** Looks at the run until it has ended. */
  private async follow(): Promise<void> {
    if (this.following) return;
    this.following = true;
    let tries = 0;
    try {
      do {
        const id = this.run?.run_id;
        if (!id) return;
        try {
          const data = await this.get({ run_id: id, wait_seconds: LOOK, page: { after: this.cursor } }, LOOK + ANSWER);
          tries = 0;
          if (data) this.update(data);
        } catch (problem) {
          if (problem instanceof NoRun) return this.lose(problem.notice);
          tries += 1;
          const gone = problem instanceof NoAnswer ? "does not answer" : "has gone";
          this.show(this.view.shown, `The server ${gone}. This is as of ${this.seen.toLocaleTimeString()}.`);
          await new Promise((done) => setTimeout(done, BEFORE_NEXT_TRY * Math.min(2 ** tries, 30)));
        }
      } while (this.run?.status === "working");
    } finally {
      this.following = false;
    }
  }

  /** Runs of the same question, and the one that this one goes on from. */
  private async earlier(page: RunPage): Promise<EarlierRun[]> {
    const prompt = beginningOf(page.prompt);
    const phrase = prompt.replaceAll('"', " ").trim().slice(0, 80);
    const result = await this.call("list_runs", { query: `"${phrase}"`, limit: 50 }, ANSWER * 3);
    const listed = (result.structuredContent?.runs ?? []) as Listed[];
    const same = (run: Listed): boolean => prompt.startsWith(beginningOf(run.prompt).replace(/…$/, ""));
    const found = listed.filter((run) => run.run_id !== page.run_id && run.synthesis && same(run)).slice(0, MOST_COMPARED);
    const before = page.continues;
    if (before !== undefined && !found.some((run) => run.run_id === before)) {
      const data = await this.get({ run_id: before }, ANSWER * 3).catch(() => null); // it may have been deleted
      if (data?.run.synthesis !== undefined) found.push({ ...data.run, run_id: before });
    }
    return found.map(({ run_id, created_at, final_answer, confidence }) => ({
      run_id,
      created_at,
      continued: run_id === before,
      ...(final_answer != null && { final_answer }),
      ...(confidence != null && { confidence }),
    }));
  }

  private async answerOf(id: string): Promise<string> {
    const synthesis = (await this.get({ run_id: id }, ANSWER * 3))?.run.synthesis;
    const full = typeof synthesis === "object" ? (await this.get({ run_id: id, page: { text: synthesis.key } }, ANSWER * 3))?.text : synthesis;
    if (full === undefined) throw new Error("This run has no answer.");
    return full;
  }

  /** The run is not there any more. What is known of one that had ended stays. */
  private lose(notice: RunNotice): void {
    this.gone = true;
    const ended = this.run && !["working", "interrupted"].includes(this.run.status);
    if (ended) this.show(this.run, `This run has been deleted from the database. This is as of ${this.seen.toLocaleTimeString()}.`);
    else this.show(notice);
  }

  private async get(args: Record<string, unknown>, seconds: number): Promise<PageData | null> {
    const result = await this.call("get_run", args, seconds);
    return dataOf(result);
  }

  /** Calls a tool of the server; an error of the tool is an `Error` with its text. */
  private async call(name: string, args: Record<string, unknown>, seconds: number): Promise<ToolResult> {
    const result: ToolResult = await this.bridge.request("tools/call", { name, arguments: args }, seconds);
    if (result.isError && !result.structuredContent) {
      const text = (result.content ?? []).map((each) => each.text ?? "").join("\n");
      const notice = (result._meta?.[DATA] as { notice?: RunNotice } | undefined)?.notice;
      throw notice ? new NoRun(text, notice) : new Error(text || `${name} failed.`);
    }
    return result;
  }

  private show(shown: View["shown"], note?: string): void {
    this.view = { shown, can: this.can(), ...(note !== undefined && { note }) };
    for (const listener of this.listeners) listener(this.view);
  }

  /** What can be done now; nothing to a run before it is certain which one it is. */
  private can(): Capabilities {
    const { serverTools, message, downloadFile, openLinks } = this.capabilities;
    const id = this.gone ? undefined : this.run?.run_id;
    const act = (name: string, args: Record<string, unknown>) => async (): Promise<void> => {
      try {
        this.take(await this.call(name, args, ANSWER * 3));
      } catch (problem) {
        if (!(problem instanceof NoRun)) throw problem;
        this.lose(problem.notice);
      }
    };
    const can: Capabilities = {};
    if (serverTools && id) {
      can.stop = act("cancel_run", { run_id: id });
      can.resume = act("resume_run", { run_id: id, wait_seconds: 0 });
      can.compare = { runs: (page) => this.earlier(page), answer: (other) => this.answerOf(other) };
      can.rate = async (correct) => act("rate_run", { run_id: id, correct })();
    }
    if (message && id)
      can.ask = async (text) => {
        await this.bridge.request("ui/message", { role: "user", content: [{ type: "text", text: further(id, text) }] }, ANSWER * 3);
      };
    if (downloadFile)
      can.save = async (name, mimeType, text) => {
        const resource = { uri: `file:///${name}`, mimeType, text };
        await this.bridge.request("ui/download-file", { contents: [{ type: "resource", resource }] }, 60);
      };
    if (openLinks)
      can.openLink = async (url) => {
        await this.bridge.request("ui/open-link", { url }, ANSWER * 3);
      };
    return can;
  }
}

const beginningOf = (text: Text): string => (typeof text === "string" ? text : text.beginning);

const further = (id: string, text: string): string =>
  `Ask the consortium further about this consultation with consult_consortium(continue_run="${id}").${text ? ` ${text}` : ""}`;

/** What the user is asked before anything is called, where the result says that (2026-07-28). */
function questionOf(result: ToolResult): string | undefined {
  const [asked] = Object.values(result.inputRequests ?? {});
  return asked && (asked.params?.message ?? "");
}

function dataOf(result: ToolResult): PageData | null {
  const data = result._meta?.[DATA] as PageData | undefined;
  return data?.run ? data : null;
}
